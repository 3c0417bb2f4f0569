"""Patterns that files and folders are matched with, in the language of `.gitignore`; all paths are absolute."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Patterns:
    """Patterns of one source, relative to one folder; the last one that matches decides."""

    def __init__(self, lines: Iterable[str], root: str) -> None:
        self._inside = root.rstrip(os.sep) + os.sep
        self._spec = _spec(tuple(lines))

    def decision(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the patterns take a path in (True) or out (False); None if none of them speaks of it."""
        if self._spec is None:
            return None
        name = path[len(self._inside) :] if path.startswith(self._inside) else os.path.basename(path)
        name = name.replace(os.sep, "/")
        return self._spec.check_file(f"{name}/" if is_folder else name).include

    def match(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the patterns take a path in."""
        return bool(self.decision(path, is_folder=is_folder))


def _spec(lines: tuple[str, ...]) -> GitIgnoreSpec | None:
    if not lines:
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def is_pattern(line: str) -> bool:
    """Whether git would take a line for a pattern, a comment or an empty line."""
    try:
        _spec((line,))
    except ValueError:
        return False
    return True


class GitIgnore:
    """What git ignores below a folder: by its `.gitignore`, and those above it up to the top of the repository.

    In a folder that is itself ignored, or lies in no repository, only what stands in it counts.
    """

    def __init__(self, start: str) -> None:
        self._known: dict[str, tuple[Patterns, ...]] = {}
        self._top = _top_of_repository(start)
        if start != self._top and self.match(start, is_folder=True):
            self._known, self._top = {}, start

    def match(self, path: str, *, is_folder: bool) -> bool:
        """Whether git ignores a path; the file that is nearest to it decides."""
        decisions = (one.decision(path, is_folder=is_folder) for one in self._applying(os.path.dirname(path)))
        return bool(next((decision for decision in decisions if decision is not None), False))

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
    return (Patterns(filter(is_pattern, patterns), folder),)
