"""What the command `torchloader` was asked to do, read from its command line."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from flake8_torchloader import __version__
from flake8_torchloader.running.program import Entry, Limits
from flake8_torchloader.settings import Settings, option_type, parse_size
from flake8_torchloader.start_method import parse_start_methods

DESCRIPTION = """\
Find the hazards of PyTorch DataLoader worker processes in source code and, with
--verify, prove each finding by running the program that it stands in.
"""
EPILOG = """\
--verify runs your code, with real workers, under every start method (Linux only).
Network connections, and writes outside of a temporary folder, are refused; this is
a seat belt for honest programs, no sandbox. What follows -- goes to each script.

exit status:
  0  nothing was found; with --verify: everything that was found is refuted
  1  something was found; with --verify: at least one finding is not refuted
  2  something could not be run: a bad option, a path that can't be read
  130  interrupted
"""


class Refused(Exception):
    """A command line that can't be carried out, with a line that says why."""


@dataclass(frozen=True)
class Order:
    """What is to be done; `python` and `cwd` are absolute."""

    paths: tuple[Path, ...]
    settings: Settings
    is_verifying: bool
    python: Path
    cwd: Path
    limits: Limits
    entry: Entry | None
    arguments: tuple[str, ...]
    json: Path | None


def read_order(argv: Sequence[str]) -> Order:
    """Read a command line, without the name of the command.

    Raises:
        Refused: if it asks for something that can't be done.
        SystemExit: after `--help` or `--version`, which are answered here.
    """
    own, arguments = _split(argv)
    given = _parser().parse_args(own)
    if not given.paths:
        raise Refused("no PATH given: name the files and folders to look at (--help says more)")
    if (arguments or given.entry) and not given.verify:
        raise Refused(f"{'--entry' if given.entry else 'what follows --'} is for a program that is run: add --verify")
    if arguments and given.entry:
        raise Refused("an --entry takes no arguments: leave out -- and what follows")
    limits = Limits(given.timeout, given.batches, given.epochs, given.allow_network, given.allow_write)
    return Order(
        paths=tuple(given.paths),
        settings=Settings(given.start_methods, given.large_array),
        is_verifying=given.verify,
        python=_interpreter(given.python),
        cwd=_folder(given.cwd),
        limits=limits,
        entry=Entry(given.entry, given.workers) if given.entry else None,
        arguments=tuple(arguments),
        json=_writable(given.json) if given.json else None,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refused(message)


def _split(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Our own arguments, and those of the script, which follow the first `--`."""
    place = argv.index("--") if "--" in argv else len(argv)
    return argv[:place], argv[place + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="torchloader",
        usage="%(prog)s PATH... [options] [--verify [options] [-- SCRIPT ARGUMENTS...]]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("paths", nargs="*", type=Path, metavar="PATH", help="files, and folders with *.py files in and below them")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add(
        "--start-methods", type=option_type(parse_start_methods), default="fork,forkserver,spawn", metavar="METHODS",
        help="the start methods to think of, and to run under (default: fork,forkserver,spawn)",
    )  # fmt: skip
    add(
        "--large-array", type=option_type(parse_size), default="64MiB", metavar="SIZE",
        help="report arrays of this many bytes or more that a dataset keeps (default: 64MiB)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write all that was found, run and proved to this file")
    _add_verifying(parser)
    return parser


def _add_verifying(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("proving by running")
    add = group.add_argument
    add("--verify", action="store_true", help="run what has findings, and say which of them are real")
    add("--python", metavar="PY", help="the interpreter to run with, which has torch (default: this one)")
    add("--cwd", type=Path, default=Path(), metavar="DIR", help="the folder to run in (default: the current one)")
    add(
        "--entry", type=option_type(_entry), metavar="MODULE:FACTORY",
        help="run no script, but what this callable returns, for findings in library files: a DataLoader, or a dataset",
    )  # fmt: skip
    add("--workers", type=_count(), default=2, metavar="N", help="workers for a dataset of --entry (default: 2)")
    add("--timeout", type=option_type(_seconds), default=60.0, metavar="S", help="seconds for a trial (default: 60)")
    add("--batches", type=_count(), default=8, metavar="N", help="end a loop after so many batches (default: 8)")
    add("--epochs", type=_count(), default=2, metavar="N", help="iterate a loader so many times (default: 2)")
    add("--allow-network", action="store_true", help="let the program open connections")
    add("--allow-write", action="store_true", help="let the program write files anywhere")


def _count() -> argparse._ActionType:
    return option_type(_positive)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) and len(text) < 10):
        raise ValueError(f"not a number from 1 on: {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise ValueError(f"not a number of seconds: {text!r}")
    return seconds


def _entry(text: str) -> str:
    module, _, factory = text.partition(":")
    if not all(part.isidentifier() for name in (module, factory) for part in name.split(".")):
        raise ValueError(f"not an entry: {text!r} (write package.module:factory)")
    return text


def _interpreter(name: str | None) -> Path:
    """The full path of an interpreter; links are kept, because a virtual environment is known by its link."""
    found = shutil.which(name or sys.executable)
    if found is None:
        raise Refused(f"argument --python: no such program: {name}")
    return Path(os.path.abspath(found))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise Refused(f"argument --cwd: no such folder: {path}")
    return path.resolve()


def _writable(path: Path) -> Path:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise Refused(f"argument --json: can't write to {path}")
    return path
