"""The nearest config file, and what it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from flake8_torchloader.choosing.config import Option

NAMES = ("pyproject.toml", "setup.cfg", "tox.ini")
"""The files that may have a section for us, the first of a folder counts."""

_SECTIONS = ("torchloader", "tool:torchloader")


class BadConfig(ValueError):
    """A config file that can't be obeyed: the text names the file and what is wrong with it."""


class ConfigFile(NamedTuple):
    """A config file, by its path, with the values of its section as they were read."""

    path: Path
    values: Mapping[str, object] = {}


def nearest(folder: Path, known: Mapping[str, Option]) -> ConfigFile | None:
    """The config file that is nearest to a folder, upward from it; raise BadConfig if that one is no good."""
    for home in (folder.absolute(), *folder.absolute().parents):
        for name in NAMES:
            if (home / name).is_file() and (found := read(home / name, known)) is not None:
                return found
    return None


def read(path: Path, known: Mapping[str, Option]) -> ConfigFile | None:
    """What a config file says about us, None if nothing.

    Raises:
        BadConfig: if it can't be read, or has a key or a value that we don't know.
    """
    section = _toml_section(path) if path.suffix == ".toml" else _ini_section(path)
    return None if section is None else ConfigFile(path, dict(_values(path, section, known)))


def _toml_section(path: Path) -> Mapping[str, object] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = _text(path)
    if "torchloader" not in text:
        return None
    try:
        tools = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: {error}") from error
    section = tools.get("torchloader") if isinstance(tools, dict) else None
    if section is not None and not isinstance(section, dict):
        raise BadConfig(f"{path}: tool.torchloader is no table")
    return section


def _ini_section(path: Path) -> Mapping[str, object] | None:
    text = _text(path)
    if "torchloader" not in text:
        return None
    import configparser

    parser = configparser.RawConfigParser(default_section="")  # what stands in [DEFAULT] is not meant for us
    try:
        parser.read_string(text, source=path.name)
    except configparser.Error as error:
        raise BadConfig(f"{path}: {' '.join(str(error).split())}") from error
    return next((dict(parser[name]) for name in _SECTIONS if parser.has_section(name)), None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}") from error
    except UnicodeError as error:
        raise BadConfig(f"{path}: can't be decoded: {error}") from error


def _values(path: Path, section: Mapping[str, object], known: Mapping[str, Option]) -> Iterator[tuple[str, object]]:
    for key, value in section.items():
        name = key.replace("-", "_")
        if name not in known:
            raise BadConfig(f"{path}: unknown key {key!r}{_near(name, known)}")
        try:
            yield name, _parsed(known[name], value)
        except ValueError as error:
            raise BadConfig(f"{path}: {key}: {error}") from error


def _near(name: str, known: Mapping[str, Option]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f": did you mean {near[0].replace('_', '-')!r}?" if near else ""


def _parsed(option: Option, value: object) -> object:
    """A value as its option reads it; raise ValueError."""
    text = _spelled(value)
    match value:
        case list() if option.parse_list is not None:
            return option.parse_list(value)
        case dict() if option.parse_table is not None:
            return option.parse_table({key: _spelled(codes) for key, codes in value.items()})
    return option.parse(text)


def _spelled(value: object) -> str:
    """A value of a TOML file as an INI file would have it."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case list() if all(isinstance(item, str) for item in value):
            return ",\n".join(value)
        case dict():
            return "\n".join(f"{key}:{_spelled(codes)}" for key, codes in value.items())
    raise ValueError(f"neither text nor number, list or table of texts: {value!r}")
