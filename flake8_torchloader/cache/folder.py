"""The folder that the cache lives in: a place that can't be read or written is as good as an empty one."""

from __future__ import annotations

import os
from pathlib import Path

from flake8_torchloader.disk import digest

NAME = ".torchloader_cache"

MOST_BYTES = 64 << 20
"""How large all files together may be that we keep in the folder."""

_OURS, _UNFINISHED = "found-", ".found-"
_ABANDONED = 3600
"""Seconds after which a file counts as abandoned that somebody began to write."""

_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of torchloader. It can be deleted at any time.
# For what this file means, see https://bford.info/cachedir/
"""


class Folder:
    """Holds texts by name; nothing is raised for what is not there or can't be done."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> str:
        """The text of a name, as it was written; empty if it is not there, or not whole."""
        try:
            with open(self._path / f"{_OURS}{name}", encoding="utf-8") as file:
                seal, _, text = file.read().partition("\n")
        except (OSError, ValueError):
            return ""
        return text if seal == digest(text.encode()) else ""

    def write(self, name: str, text: str) -> None:
        """Keep a text, whole or not at all; whoever writes it last is the one that is read."""
        from flake8_torchloader.output_file import write_whole

        try:
            self._make()
            write_whole(self._path / f"{_OURS}{name}", f"{digest(text.encode())}\n{text}")
            self._shrink()
        except OSError:
            pass

    def mark_used(self, name: str) -> None:
        """Remember that a text was of use, so that others are dropped before it."""
        try:
            os.utime(self._path / f"{_OURS}{name}")
        except OSError:
            pass

    def _make(self) -> None:
        """Make the folder, and tell git and programs that make backups what it is, if nobody else uses it."""
        self._path.mkdir(parents=True, exist_ok=True)
        if all(path.name.startswith((_OURS, _UNFINISHED)) for path in self._path.iterdir()):
            (self._path / ".gitignore").write_text("*\n", encoding="utf-8")
            (self._path / "CACHEDIR.TAG").write_text(_TAG, encoding="utf-8")

    def _shrink(self) -> None:
        """Drop what was not used for longest, until the rest is small enough, and what somebody left unfinished."""
        import time

        room = MOST_BYTES
        now = time.time()
        for path in sorted(self._path.iterdir(), key=_last_use, reverse=True):
            if path.name.startswith(_OURS):
                room -= path.stat().st_size
            is_abandoned = path.name.startswith(_UNFINISHED) and _last_use(path) < now - _ABANDONED
            if is_abandoned or (path.name.startswith(_OURS) and room < 0):
                path.unlink(missing_ok=True)


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
