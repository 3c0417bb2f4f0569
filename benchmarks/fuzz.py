"""Throw mutated programs, and whole trees of real ones, at the linter: no exception, no hang, no dead process.

    python benchmarks/fuzz.py --minutes 30
    python benchmarks/fuzz.py --tree .venv/lib/python3.12/site-packages

Each program is linted in a child process, which is watched: one that dies or takes too long is named and replaced.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

from made_programs import BEGINNING, LOADER, Program, programs, tree_programs

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.linting import lint
from flake8_torchloader.problem import Problem
from flake8_torchloader.sources import Linter

BAD_REASONS = ("while reading it", "while checking it")
SECONDS = 5.0
LINES_PER_SECOND = 500
"""Processor time after which a program counts as a hang: a fixed part, and one for its length."""


def complaint(program: Program) -> str:
    """What is wrong with how a program was linted; empty if nothing is."""
    try:
        reasons = list(_said_of(program))
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    return next((reason for reason in reasons if any(bad in reason for bad in BAD_REASONS)), "")


def _said_of(program: Program) -> Iterator[str]:
    """What is said of a text by the linter, or of the content of a file by the command."""
    if isinstance(program, bytes):
        found = Linter(Config()).bytes(program, Path("program.py"))
        yield from [found.reason] if isinstance(found, Problem) else (one.message for one in found.findings)
    else:
        yield from (one.message for one in lint(program, "program.py"))


class Watched:
    """A child process that lints programs, one at a time."""

    def __init__(self) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def lint(self, program: Program) -> str:
        """What is wrong with how a program was linted; the process does not outlive a death or a hang."""
        self._connection.send(program)
        try:
            return str(self._connection.recv())
        except (EOFError, OSError):
            self._process.join()
        return "took too long" if self._process.exitcode == -signal.SIGVTALRM else f"died with {self._process.exitcode}"

    def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection) -> None:
    """What the child does; a timer of its own processor time ends it, in whatever it is caught."""
    complaint(BEGINNING + LOADER)
    while True:
        try:
            program = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS + _lines(program) / LINES_PER_SECOND)
        connection.send(complaint(program))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _lines(program: Program) -> int:
    return program.count(b"\n") if isinstance(program, bytes) else program.count("\n")


def fuzz(programs: Iterable[tuple[str, Program]], deadline: float, keep: Path | None) -> tuple[int, int]:
    """Lint programs until the time is over; give how many there were, and of how many there is a complaint."""
    count = bad = 0
    watched = Watched()
    for name, program in programs:
        if time.monotonic() > deadline:
            break
        count += 1
        wrong = watched.lint(program)
        if wrong:
            bad += 1
            print(f"{name}: {wrong}", flush=True)
            _keep(program, keep, bad)
        if wrong.startswith(("took", "died")):
            watched.end()
            watched = Watched()
    watched.end()
    return count, bad


def _keep(program: Program, folder: Path | None, number: int) -> None:
    if folder is not None:
        content = program if isinstance(program, bytes) else program.encode("utf-8", "surrogatepass")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"program{number}.py").write_bytes(content)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--programs", type=int, metavar="N", help="stop after so many programs (default: at no number)")
    parser.add_argument("--seed", type=int, default=0, help="where the made programs begin (default: 0)")
    parser.add_argument("--tree", type=Path, help="lint the programs of this folder instead of made ones")
    parser.add_argument("--keep", type=Path, help="write the programs with a complaint into this folder")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; the exit status is 1 if anything is wrong."""
    arguments = parse_arguments(argv)
    warnings.simplefilter("ignore")
    made = ((f"seed {arguments.seed}, program {n}", text) for n, text in enumerate(programs(arguments.seed)))
    chosen = tree_programs(arguments.tree) if arguments.tree else made
    some = islice(chosen, arguments.programs)
    count, bad = fuzz(some, time.monotonic() + 60 * arguments.minutes, arguments.keep)
    print(f"{count} programs, {bad} with a complaint (Python {sys.version.split()[0]})")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
