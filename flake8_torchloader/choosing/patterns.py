"""Patterns that files and folders are matched with, in the language of `.gitignore`; all paths are absolute."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property

from flake8_torchloader.choosing.glob import Glob


class Pattern:
    """A line and its number: whether it takes in what it means, or leaves that out again, and what that is."""

    def __init__(self, line: str, number: int = 0) -> None:
        self.number = number
        self.takes_in = not line.startswith("!")
        text = line.removeprefix("!")
        self.is_for_folders = text.endswith("/")
        text = text.removesuffix("/")
        self.is_for_names = "/" not in text
        self.glob = Glob(text.removeprefix("/"))
        self.literal = f"{'' if self.is_for_names else '/'}{text.removeprefix('/')}" if self.glob.is_literal else ""

    def means(self, path: str, name: str, *, is_folder: bool) -> bool:
        """Whether it means this very file or folder, and not only one that it lies in."""
        return (is_folder or not self.is_for_folders) and self.glob.matches(name if self.is_for_names else path)


class Patterns:
    """Patterns of one source, relative to one folder; the last one that matches decides."""

    def __init__(self, lines: Iterable[str], root: str) -> None:
        self._inside = root.rstrip(os.sep) + os.sep
        self._lines = tuple(lines)

    def decision(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the patterns take a path in (True) or out (False); None if none of them speaks of it."""
        if not self._lines:
            return None
        name = os.path.basename(path)
        inner = path[len(self._inside) :] if path.startswith(self._inside) else f"../{name}"
        inner = inner.replace(os.sep, "/")
        literal = (*self._literals.get(name, ()), *self._literals.get(f"/{inner}", ()))
        last = max((one for one in literal if is_folder or not one.is_for_folders), key=_number, default=None)
        for pattern in self._globs:
            if last is not None and pattern.number < last.number:
                break
            if pattern.means(inner, name, is_folder=is_folder):
                return pattern.takes_in
        return last.takes_in if last is not None else None

    def match(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the patterns take in this very file or folder."""
        return bool(self.decision(path, is_folder=is_folder))

    def cover(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the patterns take in a file or folder, or one below their root that it lies in."""
        if self.match(path, is_folder=is_folder):
            return True
        outer = os.path.dirname(path)
        return outer.startswith(self._inside) and self.cover(outer, is_folder=True)

    @cached_property
    def _patterns(self) -> list[Pattern]:
        lines = enumerate(map(_trimmed, self._lines))
        return [Pattern(line, number) for number, line in lines if line and not line.startswith("#")]

    @cached_property
    def _literals(self) -> dict[str, list[Pattern]]:
        """Those that mean one name or path, by it."""
        found: dict[str, list[Pattern]] = {}
        for pattern in self._patterns:
            if pattern.glob.is_literal:
                found.setdefault(pattern.literal, []).append(pattern)
        return found

    @cached_property
    def _globs(self) -> list[Pattern]:
        """All others, the last one first."""
        return [pattern for pattern in reversed(self._patterns) if not pattern.glob.is_literal]


def _number(pattern: Pattern) -> int:
    return pattern.number


def _trimmed(line: str) -> str:
    """A line without the spaces at its end, but for one after a backslash."""
    short = line.rstrip(" ")
    is_escaped = (len(short) - len(short.rstrip("\\"))) % 2 == 1
    return line[: len(short) + 1] if is_escaped else short


def is_pattern(line: str) -> bool:
    """Whether git would take a line for a pattern, a comment or an empty line, and not for one that matches nothing."""
    text = _trimmed(line)
    if not text or text.startswith("#"):
        return True
    glob = Pattern(text).glob
    return text.strip("!/") != "" and (glob.is_literal or glob.expression is not None)


class GitIgnore:
    """What git ignores below a folder: by its `.gitignore`, and those above it up to the top of the repository.

    In a folder that is itself ignored, or lies in no repository, only what stands in it counts.
    """

    def __init__(self, start: str) -> None:
        self._known: dict[str, tuple[Patterns, ...]] = {}
        self._top = _top_of_repository(start)
        if self._lies_in_ignored(start):
            self._known, self._top = {}, start

    def match(self, path: str, *, is_folder: bool) -> bool:
        """Whether git ignores a path; the file that is nearest to it decides."""
        decisions = (one.decision(path, is_folder=is_folder) for one in self._applying(os.path.dirname(path)))
        return bool(next((decision for decision in decisions if decision is not None), False))

    def _lies_in_ignored(self, folder: str) -> bool:
        while folder != self._top:
            if self.match(folder, is_folder=True):
                return True
            folder = os.path.dirname(folder)
        return False

    def _applying(self, folder: str) -> tuple[Patterns, ...]:
        """The patterns that apply in a folder, the nearest first."""
        if folder not in self._known:
            is_top = folder == self._top or folder == os.path.dirname(folder)
            outer = os.path.dirname(folder)
            above = _patterns_in(folder, ".git", "info", "exclude") if is_top else self._applying(outer)
            self._known[folder] = (*_patterns_in(folder, ".gitignore"), *above)
        return self._known[folder]


def _top_of_repository(start: str) -> str:
    folder = start
    while not os.path.exists(os.path.join(folder, ".git")):
        folder, inner = os.path.dirname(folder), folder
        if folder == inner:
            return start
    return folder


def _patterns_in(folder: str, *name: str) -> tuple[Patterns, ...]:
    """The patterns of a file, if it is there and can be read: git passes over one that can't, too."""
    try:
        with open(os.path.join(folder, *name), encoding="utf-8", errors="replace") as lines:
            patterns = [line.rstrip("\r\n") for line in lines]
    except OSError:
        return ()
    return (Patterns(patterns, folder),)
