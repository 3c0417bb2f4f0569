"""The arguments of the command `torchloader`: their names, their types, and `--help`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from flake8_torchloader import __version__
from flake8_torchloader.choosing.config import Option, parse_path
from flake8_torchloader.command.explain import Explain
from flake8_torchloader.command.refused import Refused
from flake8_torchloader.settings import option_type

DESCRIPTION = """\
Find the hazards of PyTorch DataLoader worker processes in source code and, with
--verify, prove each finding by running the program that it stands in.
"""
EPILOG = """\
The options under "linting" and "output" may stand in [tool.torchloader] of the nearest
pyproject.toml, or in [torchloader] of setup.cfg or tox.ini; the command line has the last word.

--verify runs your code, with real workers, under every start method (Linux only).
Network connections, and writes outside of a temporary folder, are refused; this is
a seat belt for honest programs, no sandbox. What follows -- goes to each script.

exit status:
  0  nothing was found; with --verify: everything that was found is refuted
  1  something was found; with --verify: at least one finding is not refuted
  2  something could not be done: a bad option, a path that can't be read, a syntax error
  130  interrupted
"""

_ANY_WIDTH = 80
"""Columns of help that nobody asks for: argparse else asks for those of the terminal with every single option."""

_SHORT = {"quiet": "-q", "jobs": "-j", "output_file": "-o"}


class Given(argparse.Namespace):
    """What a command line says; `chosen` are the options that may also stand in a config file, as far as given."""

    paths: list[Path]
    chosen: Mapping[str, object]
    config: Path | None
    isolated: bool
    stdin_filename: Path | None
    write_baseline: Path | None
    json: Path | None
    verify: bool
    python: str | None
    cwd: Path
    entry: str | None
    workers: int
    timeout: float
    batches: int
    epochs: int
    allow_network: bool
    allow_write: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refused(message)


def parse(argv: Sequence[str], options: Mapping[str, Option]) -> Given:
    """Read a command line; raise Refused with what is wrong with it."""
    is_asked_for_help = not {"-h", "--help"}.isdisjoint(argv)
    parser = _parser(options, None if is_asked_for_help else _ANY_WIDTH)
    given, unknown = parser.parse_known_intermixed_args(argv, Given())
    if unknown:
        raise Refused(_unknown(unknown[0], parser.format_help()))
    given.chosen = {name: value for name, value in vars(given).items() if name in options}
    return given


def _unknown(argument: str, help: str) -> str:
    """What to say of an option that there is not: the one that it is most like, of those that `--help` shows."""
    from difflib import get_close_matches

    name = argument.partition("=")[0]
    near = get_close_matches(name, re.findall(r"--[a-z-]+", help), n=1)
    return f"no such option: {name}{f' (did you mean {near[0]}?)' if near else ''}"


def _parser(options: Mapping[str, Option], width: int | None) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="torchloader",
        usage="%(prog)s [PATH...] [options] [--verify [options] [-- SCRIPT ARGUMENTS...]]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=width),
        allow_abbrev=False,
    )
    add, path = parser.add_argument, option_type(parse_path)
    add(
        "paths", nargs="*", type=path, metavar="PATH",
        help="files, folders with programs and notebooks in and below them, or - for standard input (default: .)",
    )  # fmt: skip
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add(
        "--explain", action=Explain, default=argparse.SUPPRESS, metavar="RULE",
        help="print the page of a rule, by its code or name, and end",
    )  # fmt: skip
    add("--config", type=path, metavar="FILE", help="read this config file, and no other")
    add("--isolated", action="store_true", help="read no config file")
    add("--stdin-filename", type=path, metavar="FILE", help="what to call standard input")
    add("--write-baseline", type=path, metavar="FILE", help="write down all that is found, for --baseline")
    add("--json", type=path, metavar="FILE", help="also write all that was found, run and proved to this file")
    group = parser.add_argument_group("linting and output")
    for name, option in options.items():
        _add_option(group, name, option)
    _add_verifying(parser)
    return parser


def _add_option(group: argparse._ArgumentGroup, name: str, option: Option) -> None:
    """One option, or a flag and its opposite, of which `--help` shows the one that changes something."""
    spelled = name.replace("_", "-")
    names = [*([_SHORT[name]] if name in _SHORT else []), f"--{spelled}"]
    if option.metavar:
        group.add_argument(
            *names, dest=name, type=option_type(option.parse), default=argparse.SUPPRESS, metavar=option.metavar,
            help=option.help,
        )  # fmt: skip
        return
    for flags, const in ((names, True), ([f"--no-{spelled}"], False)):
        shown = argparse.SUPPRESS if const is option.default else option.help
        group.add_argument(*flags, dest=name, action="store_const", const=const, default=argparse.SUPPRESS, help=shown)


def _add_verifying(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("proving by running")
    add, path = group.add_argument, option_type(parse_path)
    add("--verify", action="store_true", help="run what has findings, and say which of them are real")
    add("--python", metavar="PY", help="the interpreter to run with, which has torch (default: this one)")
    add("--cwd", type=path, default=Path(), metavar="DIR", help="the folder to run in (default: the current one)")
    add(
        "--entry", type=option_type(_entry), metavar="MODULE:FACTORY",
        help="run no script, but what this callable returns, for findings in library files: a DataLoader, or a dataset",
    )  # fmt: skip
    count = option_type(_positive)
    add("--workers", type=count, default=2, metavar="N", help="workers for a dataset of --entry (default: 2)")
    add("--timeout", type=option_type(_seconds), default=60.0, metavar="S", help="seconds for a trial (default: 60)")
    add("--batches", type=count, default=8, metavar="N", help="end a loop after so many batches (default: 8)")
    add("--epochs", type=count, default=2, metavar="N", help="iterate a loader so many times (default: 2)")
    add("--allow-network", action="store_true", help="let the program open connections")
    add("--allow-write", action="store_true", help="let the program write files anywhere")


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
