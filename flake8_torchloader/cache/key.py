"""What findings rest on beside the files: who looks for them, with what, and how it was asked to."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from flake8_torchloader import __version__
from flake8_torchloader.cache.folder import Folder
from flake8_torchloader.choosing.config import Config
from flake8_torchloader.disk import digest

_BESIDE = {"exclude", "extend_exclude", "respect_gitignore", "jobs", "cache", "cache_dir"}
"""The choices that decide which files are linted and how, and nothing of what is found in one."""

_PACKAGE = Path(__file__).parent.parent
_SOURCES = "sources"
_SETTLED = 2
"""Seconds after which a changed file would have another time if it were changed again."""


def key(config: Config, folder: Folder) -> str:
    """A name that is another one wherever anything may be found that is not found now."""
    parts = [__version__, _sources(folder), _version_of_libcst(), sys.version, sys.platform, *_choices(config)]
    return digest("\n".join(parts).encode()).rpartition("-")[2]


def _choices(config: Config) -> Iterator[str]:
    for name in config.fields():
        value = getattr(config, name)
        match value:
            case frozenset():
                value = sorted(value)
            case Path():
                value = os.path.abspath(value)
        if name not in _BESIDE:
            yield f"{name} {value!r}"


def _sources(folder: Folder) -> str:
    """What our own source files hold; it is remembered until one of them has another size or time."""
    files = [(path, os.stat(path)) for path in sorted(_files(str(_PACKAGE)))]
    stamps = digest("\n".join(f"{path} {s.st_size} {s.st_mtime_ns} {s.st_ctime_ns}" for path, s in files).encode())
    known, _, content = folder.read(_SOURCES).partition("\n")
    if known == stamps:
        return content
    content = digest(b"\0".join(Path(path).read_bytes() for path, _ in files))
    if max(status.st_mtime for _, status in files) < time.time() - _SETTLED:
        folder.write(_SOURCES, f"{stamps}\n{content}")
    return content


def _files(folder: str) -> Iterator[str]:
    """Our own source files."""
    with os.scandir(folder) as found:
        for one in found:
            if one.name.endswith(".py"):
                yield one.path
            elif one.is_dir() and one.name != "__pycache__":
                yield from _files(one.path)


def _version_of_libcst() -> str:
    """The version of libcst, which is not imported for it."""
    spec = find_spec("libcst")
    try:
        return Path(spec.origin if spec and spec.origin else "").with_name("_version.py").read_text("utf-8")
    except (OSError, ValueError):
        from importlib.metadata import version

        return version("libcst")
