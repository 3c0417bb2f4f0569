"""What following imports adds to the linter, in CPU time, as a ratio within one run.

The command `torchloader` is run over each path in turn, once as it is and once with `--follow-depth=0`, which reads
each file by itself.

    python benchmarks/following_cost.py PATH... --repeats 5 --at-most 1.5
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ALONE = ("--follow-depth=0",)


def seconds(path: Path, options: Sequence[str]) -> float:
    """The CPU time of one run of the command; raise RuntimeError if it does not get through."""
    linter = [sys.executable, "-m", "flake8_torchloader", "--isolated", "--no-cache", "--jobs=1", "--exit-zero"]
    command = [*linter, *options, str(path)]
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):  # 2: a file of the path can't be read
        raise RuntimeError(f"the linter ended with {process.returncode}: {' '.join(command)}")
    return used.ru_utime + used.ru_stime


def measure(path: Path, repeats: int) -> list[tuple[float, float]]:
    """Pairs of seconds, without and with following; which goes first changes each time."""
    seconds(path, ALONE)
    pairs: list[tuple[float, float]] = []
    for number in range(repeats):
        if number % 2:
            following = seconds(path, ())
            pairs.append((seconds(path, ALONE), following))
        else:
            alone = seconds(path, ALONE)
            pairs.append((alone, seconds(path, ())))
    return pairs


def main(argv: Sequence[str] | None = None) -> int:
    """Measure each path, print, and compare with the limit if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, help="projects to lint")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of runs for each (default: 5)")
    parser.add_argument("--at-most", type=float, metavar="RATIO", help="exit with 1 if a ratio is above")
    arguments = parser.parse_args(argv)
    worst = 0.0
    for path in arguments.paths:
        pairs = measure(path, arguments.repeats)
        ratios = [following / alone for alone, following in pairs]
        worst = max(worst, median(ratios))
        spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
        alone, following = (median(side) for side in zip(*pairs))
        print(f"{median(ratios):6.2f} {spread}  {alone:.2f} s alone, {following:.2f} s following  {path}", flush=True)
    return int(arguments.at_most is not None and worst > arguments.at_most)


if __name__ == "__main__":
    raise SystemExit(main())
