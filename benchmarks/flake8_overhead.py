"""What the plugin adds to a run of flake8, in CPU time and peak memory, as a ratio within one run.

flake8 runs every plugin that is installed, whatever `--select` says. So two virtual environments
are made, alike but for the plugin, and flake8 is run from each in turn over the same paths.

    python benchmarks/flake8_overhead.py PATH...
    python benchmarks/flake8_overhead.py --synthetic 10000
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).resolve().parent.parent
FILES_PER_FOLDER = 100
NOT_PACKAGED = (".*", "build", "*.egg-info", "fixtures", "tests", "benchmarks")
KIBIBYTES_PER_MEBIBYTE = 1024
FILES_WITH_TORCH = 3
"""Of so many synthetic files, one imports torch, so that the gate on the text is put to work."""


@dataclass(frozen=True)
class Usage:
    """What one run of flake8 used: CPU seconds, its own and the system's, and peak MiB."""

    seconds: float
    mebibytes: float


@dataclass(frozen=True)
class Pair:
    """Two runs beside each other, without the plugin and with it."""

    without: Usage
    with_plugin: Usage

    @property
    def ratio(self) -> float:
        """How many times the CPU time without the plugin is needed with it."""
        return self.with_plugin.seconds / self.without.seconds


def copy_project(folder: Path) -> Path:
    """Copy what is packaged, because an old `build` folder would be packaged along."""
    return Path(shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(*NOT_PACKAGED)))


def make_environment(folder: Path, *packages: str) -> Path:
    """Make a virtual environment that holds flake8 and the packages; give its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def run_flake8(python: Path, paths: Sequence[Path]) -> Usage:
    """Run flake8 over the paths in one process; raise RuntimeError if it does not get through."""
    command = [str(python), "-m", "flake8", "--isolated", "--jobs=1", "--exit-zero", *map(str, paths)]
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"flake8 ended with {process.returncode}: {' '.join(command)}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / KIBIBYTES_PER_MEBIBYTE)


def measure(without: Path, with_plugin: Path, paths: Sequence[Path], repeats: int) -> Iterator[Pair]:
    """Run flake8 from both interpreters in turn; which goes first changes each time."""
    for python in (without, with_plugin):
        run_flake8(python, paths)
    for number in range(repeats):
        if number % 2:
            second = run_flake8(with_plugin, paths)
            yield Pair(run_flake8(without, paths), second)
        else:
            first = run_flake8(without, paths)
            yield Pair(first, run_flake8(with_plugin, paths))


def synthetic_program(number: int) -> str:
    """A file of some 25 lines, in which nothing has to do with loading data in workers."""
    library = "torch" if number % FILES_WITH_TORCH == 0 else "math"
    return f'''\
"""Part {number} of a program that loads no data."""
import {library}
import os


class Part{number}:
    """Keeps some numbers, and says where they are stored."""

    def __init__(self, folder, size={number % 7 + 1}):
        self.folder = os.path.join(folder, "part{number}")
        self.numbers = [{library}.sqrt({library}.e * n) if n % 2 else n for n in range(size)]

    def total(self, weights):
        total = 0
        for weight, number in zip(weights, self.numbers):
            if weight > {number % 5}:
                total += weight * number
            else:
                total -= {{"low": 1, "high": 2}}.get(self.folder, 0)
        return total


def report_{number}(parts):
    lines = [f"{{part.folder}}: {{part.total([1, 2, 3]):.2f}}" for part in parts]
    return "\\n".join(sorted(lines, key=lambda line: line.lower()))
'''


def write_synthetic_tree(folder: Path, files: int) -> None:
    """Write so many synthetic files, a hundred to a folder."""
    for number in range(files):
        home = folder / f"package{number // FILES_PER_FOLDER}"
        home.mkdir(parents=True, exist_ok=True)
        (home / f"part{number}.py").write_text(synthetic_program(number), encoding="utf-8")


def describe(pairs: Sequence[Pair]) -> str:
    """The medians of all pairs, and the range of their ratios."""
    ratios = [pair.ratio for pair in pairs]
    rows = [
        ("without", [pair.without for pair in pairs]),
        ("with", [pair.with_plugin for pair in pairs]),
    ]
    lines = [
        f"{name:8} {median(use.seconds for use in used):9.3f} s CPU"
        f" {median(use.mebibytes for use in used):8.1f} MiB at most"
        for name, used in rows
    ]
    spread = f"({min(ratios):.3f} to {max(ratios):.3f} in {len(ratios)} pairs)"
    return "\n".join([*lines, f"ratio    {median(ratios):9.3f} {spread}"])


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, help="files and folders to lint")
    parser.add_argument("--synthetic", type=int, metavar="FILES", help="lint a made tree of so many files")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of runs (default: 5)")
    parser.add_argument("--flake8", default="flake8", help="requirement for flake8, such as flake8==6.0.0")
    parser.add_argument("--at-most", type=float, metavar="RATIO", help="exit with 1 if the ratio is above")
    arguments = parser.parse_args(argv)
    if not arguments.paths and arguments.synthetic is None:
        parser.error("give paths, or --synthetic FILES")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and compare with the limit if there is one."""
    arguments = parse_arguments(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [path.resolve() for path in arguments.paths]
        if arguments.synthetic is not None:
            write_synthetic_tree(folder / "tree", arguments.synthetic)
            paths.append(folder / "tree")
        without = make_environment(folder / "without", arguments.flake8)
        project = copy_project(folder / "project")
        with_plugin = make_environment(folder / "with", arguments.flake8, str(project))
        pairs = list(measure(without, with_plugin, paths, arguments.repeats))
    print(describe(pairs))
    limit = arguments.at_most
    return int(limit is not None and median(pair.ratio for pair in pairs) > limit)


if __name__ == "__main__":
    raise SystemExit(main())
