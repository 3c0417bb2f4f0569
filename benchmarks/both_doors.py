"""Send every file of a folder through flake8 and through `torchloader`, and see that neither run is ended by us.

    python benchmarks/both_doors.py .venv/lib/python3.12/site-packages --jobs 2

A run of flake8 that breaks off is repeated with half of its files, and again, until it is known of which file; that
file is then given to a flake8 without us.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from environments import environments

BATCH = 200
"""Files that flake8 is given at a time."""

SECONDS, SECONDS_PER_FILE = 120, 5
"""After which a run counts as a hang: a fixed part, and one for each file."""

STUMBLES = ("while reading it", "while checking it", "process that checked it died")
"""What is said of a file over which one of ours stumbled."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: its status (None: it hung), what it printed, and the processes that it left behind."""

    status: int | None
    printed: str
    left: tuple[int, ...]

    @property
    def broke_off(self) -> bool:
        """Whether it did not get to its end; 2 is the status of `torchloader` where a file can't be parsed."""
        return self.status not in (0, 1, 2) or "Traceback" in self.printed or "PluginExecutionFailed" in self.printed

    @property
    def stumbled(self) -> list[str]:
        """The lines that tell of an error of ours."""
        return [line for line in self.printed.splitlines() if any(stumble in line for stumble in STUMBLES)]


def run(command: Sequence[str | Path], files: int) -> Ended:
    """Run a command in a session of its own, which is ended if it hangs."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        start_new_session=True,
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=SECONDS + SECONDS_PER_FILE * files)
        return Ended(process.returncode, printed, tuple(session(process.pid)))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Ended(None, process.communicate()[0], ())


def session(leader: int) -> Iterator[int]:
    """The processes of a session that are alive."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if number == str(leader) and state not in "ZX":
            yield int(stat.parent.name)


def flake8(python: Path, files: Sequence[Path]) -> Ended:
    """One run of flake8; what others find, which is much, is not printed."""
    return run([python, "-m", "flake8", "--isolated", "--jobs=1", "--select=TLD,E9", *files], len(files))


def flake8_complaints(with_us: Path, alone: Path, files: Sequence[Path]) -> Iterator[str]:
    """What is wrong with a run of flake8 over some files."""
    ended = flake8(with_us, files)
    yield from ended.stumbled
    yield from (f"flake8 left process {pid} behind" for pid in ended.left)
    if not ended.broke_off:
        return
    if len(files) > 1:
        middle = len(files) // 2
        yield from flake8_complaints(with_us, alone, files[:middle])
        yield from flake8_complaints(with_us, alone, files[middle:])
    elif not flake8(alone, files).broke_off:
        last = ended.printed.strip().splitlines()[-1:]
        yield f"{files[0]}: flake8 breaks off, with status {ended.status}, and does not without us: {last}"
    else:
        print(f"{files[0]}: flake8 breaks off, also without us", flush=True)


def command_complaints(python: Path, folder: Path, jobs: int, files: int) -> Iterator[str]:
    """What is wrong with one run of `torchloader` over the whole folder."""
    options = ("--isolated", "--no-cache", "--output-format=concise", f"--jobs={jobs}")
    ended = run([python, "-m", "flake8_torchloader", *options, folder], files)
    if ended.broke_off:
        yield f"torchloader ended with {ended.status}: {ended.printed[-2000:]}"
    yield from ended.stumbled
    yield from (f"torchloader left process {pid} behind" for pid in ended.left)


def main(argv: Sequence[str] | None = None) -> int:
    """Go through the folder; the exit status is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what to go through")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--environments", type=Path, help="keep the environments in this folder, and use them again")
    parser.add_argument("--flake8", default="flake8", help="requirement for flake8, such as flake8==6.0.0")
    arguments = parser.parse_args(argv)
    files = sorted(path for path in arguments.folder.resolve().rglob("*.py") if path.is_file())
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    bad = 0
    with environments(arguments.environments, arguments.flake8) as made, ThreadPoolExecutor(arguments.jobs) as threads:
        with_us, alone = made.with_us(), made.without_us()
        of_command = [list(command_complaints(with_us, arguments.folder, arguments.jobs, len(files)))]
        of_flake8 = threads.map(lambda batch: list(flake8_complaints(with_us, alone, batch)), batches)
        for number, complaints in enumerate(chain(of_command, of_flake8)):
            bad += len(complaints)
            print(*complaints, f"{number} of {len(batches)} runs of flake8 are over", sep="\n", flush=True)
    print(f"{len(files)} files, {bad} complaints (Python {sys.version.split()[0]})")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
