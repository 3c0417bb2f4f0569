"""What the command `torchloader` was asked to do, by its command line and the nearest config file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flake8_torchloader.choosing.config import Config, option, options, parse_flag, parse_path, rebased
from flake8_torchloader.choosing.config_file import BadConfig, ConfigFile, nearest, read
from flake8_torchloader.command.arguments import Given, parse
from flake8_torchloader.command.refused import Refused
from flake8_torchloader.record import Record
from flake8_torchloader.report import Format, parse_format

if TYPE_CHECKING:
    from flake8_torchloader.running.program import Entry, Limits

STDIN = Path("-")


class Output(Record):
    """How results are told, and what they amount to."""

    output_format: Format = option(
        Format.TEXT, parse_format, "FORMAT", f"one of {', '.join(one.value for one in Format)} (default: text)"
    )
    output_file: Path | None = option(None, parse_path, "FILE", "write the results there, whole or not at all")
    baseline: Path | None = option(None, parse_path, "FILE", "leave out the findings that this file knows")
    pages: str = option("", str, "URL", "where the site with the rules' pages is, which findings then lead to")
    statistics: bool = option(False, parse_flag, "", "count how often each code was found")
    quiet: bool = option(False, parse_flag, "", "tell only what is found and what goes wrong")
    exit_zero: bool = option(False, parse_flag, "", "end with status 0 whatever is found")


_OWN_DEFAULTS: Mapping[str, Any] = {"jobs": 0, "cache": True}
"""What is otherwise for a command than for a program that uses us."""

OPTIONS = {
    name: option._replace(default=_OWN_DEFAULTS.get(name, option.default))
    for name, option in {**options(Config), **options(Output)}.items()
}
"""What can be said in a config file and on the command line."""


class Proving(NamedTuple):
    """How programs are run; `python` and `cwd` are absolute."""

    python: Path
    cwd: Path
    limits: Limits
    entry: Entry | None
    arguments: tuple[str, ...]


class Order(NamedTuple):
    """What is to be done; `proving` is None if nothing is to be run."""

    paths: tuple[Path, ...]
    config: Config
    output: Output
    write_baseline: Path | None
    stdin_filename: Path
    proving: Proving | None
    json: Path | None


def read_order(argv: Sequence[str]) -> Order:
    """Read a command line, without the name of the command, and the config file that goes with it.

    Raises:
        Refused: if they ask for something that can't be done.
        SystemExit: after `--help`, `--version` or `--explain`, which are answered here.
    """
    own, arguments = _split(argv)
    given = parse(own, OPTIONS)
    _refuse_a_folder_that_is_gone()
    paths = tuple(given.paths or [Path()])
    _refuse_what_makes_no_sense(given, paths, arguments)
    values = _chosen(given, _config_file(given, paths))
    output = Output(**{name: values.pop(name) for name in options(Output) if name in values})
    for name, file in (("output-file", output.output_file), ("write-baseline", given.write_baseline)):
        _refuse_unwritable(name, file)
    return Order(
        paths=paths,
        config=Config(**{**_OWN_DEFAULTS, **values}),
        output=output,
        write_baseline=given.write_baseline,
        stdin_filename=given.stdin_filename or Path("stdin"),
        proving=_proving(given, arguments),
        json=_refuse_unwritable("json", given.json),
    )


def _split(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Our own arguments, and those of the script, which follow the first `--`."""
    place = argv.index("--") if "--" in argv else len(argv)
    return argv[:place], argv[place + 1 :]


def _refuse_a_folder_that_is_gone() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise Refused(f"the current folder can't be found: {error.strerror}") from error


def _refuse_what_makes_no_sense(given: Given, paths: Sequence[Path], arguments: Sequence[str]) -> None:
    if STDIN in paths and (len(paths) > 1 or given.verify):
        raise Refused("standard input (-) can't be verified" if given.verify else "standard input (-) stands alone")
    if given.stdin_filename and STDIN not in paths:
        raise Refused("--stdin-filename names what is read from standard input: give - as the path")
    if (arguments or given.entry) and not given.verify:
        raise Refused(f"{'--entry' if given.entry else 'what follows --'} is for a program that is run: add --verify")
    if arguments and given.entry:
        raise Refused("an --entry takes no arguments: leave out -- and what follows")
    if given.write_baseline and given.verify:
        raise Refused("a baseline holds what is found, whatever is proved: leave out --verify or --write-baseline")
    if given.config and given.isolated:
        raise Refused("--isolated reads no config file: leave out --config")


def _config_file(given: Given, paths: Sequence[Path]) -> ConfigFile | None:
    """The config file that was named, else the one nearest to what all paths have in common."""
    try:
        if given.config is not None:
            return read(given.config, OPTIONS) or ConfigFile(given.config)
        return None if given.isolated else nearest(_common_folder(given, paths), OPTIONS)
    except BadConfig as error:
        raise Refused(str(error)) from error


def _common_folder(given: Given, paths: Sequence[Path]) -> Path:
    named = [(given.stdin_filename or Path("stdin")) if path == STDIN else path for path in paths]
    folders = {os.path.abspath(path if path.is_dir() else path.parent) for path in named}
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        return Path()


def _chosen(given: Given, file: ConfigFile | None) -> dict[str, Any]:
    """The values of the config file, and over them those of the command line; patterns are relative to `root`."""
    if file is None:
        return dict(given.chosen)
    home = file.path.absolute().parent
    values = {name: home / value if isinstance(value, Path) else value for name, value in file.values.items()}
    return {**values, **rebased(given.chosen, Path.cwd(), home), "root": home}


def _proving(given: Given, arguments: Sequence[str]) -> Proving | None:
    python, cwd = _interpreter(given.python), _folder(given.cwd)
    if not given.verify:
        return None
    from flake8_torchloader.running.program import Entry, Limits

    limits = Limits(given.timeout, given.batches, given.epochs, given.allow_network, given.allow_write)
    entry = Entry(given.entry, given.workers) if given.entry else None
    return Proving(python, cwd, limits, entry, tuple(arguments))


def _interpreter(name: str | None) -> Path:
    """The full path of an interpreter; links are kept, because a virtual environment is known by its link."""
    if name is None:
        return Path(os.path.abspath(sys.executable))
    import shutil

    found = shutil.which(name)
    if found is None:
        raise Refused(f"argument --python: no such program: {name}")
    return Path(os.path.abspath(found))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise Refused(f"argument --cwd: no such folder: {path}")
    return path.resolve()


def _refuse_unwritable(name: str, path: Path | None) -> Path | None:
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise Refused(f"argument --{name}: can't write to {path}")
    return path
