"""Compare what linting costs: flake8 without us, with us and with TorchFix, `torchloader`, and the parsers alone.

    python benchmarks/compare.py PROJECT... --environments .benchmarks
    python benchmarks/compare.py PROJECT... --write docs/performance.md

Each tool stands in a virtual environment of its own, because flake8 runs every plugin that is installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import trees
from environments import Environments, environments
from results import Results
from tables import machine, replaced, tables
from trees import Tree
from usage import Usage, usage

FLOOR = Path(__file__).with_name("floor.py")
LEAST = Path(__file__).with_name("least.py")
LINTED = (0, 1, 2)
"""Statuses of `torchloader` that got through: 2 where a file can't be parsed."""


@dataclass(frozen=True)
class Contest:
    """The interpreters to compare, and a folder for the caches."""

    alone: Path
    with_us: Path
    torchfix: Path | None
    caches: Path

    def flake8(self, python: Path, tree: Tree) -> Usage:
        """One run of flake8 in one process."""
        return usage([python, "-m", "flake8", "--isolated", "--jobs=1", "--exit-zero", tree.path])

    def pair(self, results: Results, number: int) -> None:
        """A run of flake8 without us and one with us; which goes first changes each time."""
        pair = [("flake8", self.alone), ("with us", self.with_us)]
        for name, python in pair[:: -1 if number % 2 else 1]:
            results.add(name, self.flake8(python, results.tree))

    def command(self, results: Results) -> None:
        """`torchloader` with a fresh cache, and again with what the first run left there."""
        with tempfile.TemporaryDirectory(dir=self.caches) as cache:
            options = ("--isolated", "--no-respect-gitignore", "--jobs=1", f"--cache-dir={cache}")
            command: list[str | Path] = [self.with_us.with_name("torchloader"), *options, results.tree.path]
            results.add("cold", usage(command, LINTED))
            results.add("warm", usage(command, LINTED))

    def start(self, results: Results) -> None:
        """`torchloader` where it has next to nothing to do, beside the least that it could do."""
        results.add("least", usage([self.with_us, LEAST, results.tree.path]))
        self.command(results)

    def measure_floor(self, results: Results) -> None:
        """The parsers alone."""
        done = subprocess.run([self.with_us, FLOOR, results.tree.path], check=True, capture_output=True, text=True)
        results.floors.append(json.loads(done.stdout))

    def warm_up(self, tree: Tree) -> None:
        """Compile what the tools import, and read what they will read."""
        results = Results(tree)
        self.pair(results, 0)
        self.command(results)
        if self.torchfix is not None:
            self.flake8(self.torchfix, tree)


def made_trees(folder: Path, scale: float) -> tuple[Tree, Tree, Tree, Tree, Tree]:
    """The trees that are made: empty, one script, scripts, without loaders, small files."""
    return (
        trees.empty_file(folder),
        trees.one_script(folder),
        trees.loader_scripts(folder, int(500 * scale)),
        trees.without_loaders(folder, int(10_000 * scale)),
        trees.small_files(folder, int(100_000 * scale)),
    )


def contest(
    contest: Contest, all_of: Sequence[Results], started: Sequence[Results], small: Results, repetitions: int
) -> Iterator[str]:
    """Let all contestants take turns over all trees, again and again; tell of each round that is over."""
    for number in range(repetitions):
        for results in started:
            for _ in range(results.tree.times):
                contest.start(results)
        for results in all_of:
            for turn in range(results.tree.times):
                contest.pair(results, number + turn)
                contest.command(results)
            if results.tree.lines:
                contest.measure_floor(results)
            yield f"round {number + 1} of {repetitions}: {results.tree.name}"
    contest.command(small)
    yield small.tree.name
    if contest.torchfix is not None:
        heavy = next((results for results in all_of if results.tree.is_heavy), all_of[1])
        heavy.add("TorchFix", contest.flake8(contest.torchfix, heavy.tree))
        yield f"TorchFix: {heavy.tree.name}"


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="*", type=Path, help="checkouts of projects that have to do with torch")
    parser.add_argument("--repetitions", type=int, default=3, help="rounds of interleaved runs (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="make so much of the made trees (default: 1)")
    parser.add_argument("--environments", type=Path, metavar="DIR", help="keep the environments there")
    parser.add_argument("--flake8", default="flake8", help="requirement for flake8, such as flake8==6.0.0")
    parser.add_argument("--torchfix", default="torchfix", help="requirement for TorchFix, such as torchfix==0.7.0")
    parser.add_argument("--without-torchfix", action="store_true", help="leave TorchFix out, which takes longest")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into this page, between its marks")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    return parser.parse_args(argv)


def contestants(made: Environments, arguments: argparse.Namespace, caches: Path) -> Contest:
    """Make the environments, or take those that are there."""
    torchfix = None if arguments.without_torchfix else made.with_torchfix(arguments.torchfix)
    return Contest(made.without_us(), made.with_us(), torchfix, caches)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the tables; tell on standard error how far it is."""
    arguments = parse_arguments(argv)
    given = [Results(trees.given(path.resolve())) for path in arguments.projects]
    with environments(arguments.environments, arguments.flake8) as made, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        between = contestants(made, arguments, folder)
        empty, one, scripts, without, small = (Results(tree) for tree in made_trees(folder, arguments.scale))
        between.warm_up(empty.tree)
        all_of, started = [empty, scripts, without, *given], [Results(empty.tree), one]
        for news in contest(between, all_of, started, small, arguments.repetitions):
            print(news, file=sys.stderr, flush=True)
        conditions = machine(between.with_us, between.torchfix, arguments.repetitions)
    measured, text = tables(all_of, started, small, conditions)
    print(text)
    if arguments.write is not None:
        page = arguments.write.read_text(encoding="utf-8")
        arguments.write.write_text(replaced(page, text), encoding="utf-8")
    return int(arguments.check and not all(one.holds for one in measured))


if __name__ == "__main__":
    raise SystemExit(main())
