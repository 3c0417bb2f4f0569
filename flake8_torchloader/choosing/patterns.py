"""Patterns that files and folders are matched with, in the language of `.gitignore`; all paths are absolute."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

Compiled = tuple[bool, re.Pattern[str]]
"""Whether a pattern takes in what it means, or leaves that out again, and its expression."""

_INSIDE = "ps_d"
"""What pathspec calls the slash in a match after which it may go on."""


class Patterns:
    """Patterns of one source, relative to one folder; the last one that matches decides.

    As in git, a folder is asked about before what lies in it. So a pattern decides only about the very path that it
    means, where pathspec, which is asked about whole paths, lets it decide about all that lies in there as well.
    """

    def __init__(self, lines: Iterable[str], root: str) -> None:
        self._inside = root.rstrip(os.sep) + os.sep
        self._lines = tuple(line for line in lines if not _says_nothing(line))

    def decision(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the patterns take a path in (True) or out (False); None if none of them speaks of it."""
        if not self._lines:
            return None
        name = path[len(self._inside) :] if path.startswith(self._inside) else f"../{os.path.basename(path)}"
        name = name.replace(os.sep, "/") + ("/" if is_folder else "")
        for takes_in, expression in self._last_first:
            found = expression.search(name)
            if found is not None and _is_whole(found, name):
                return takes_in
        return None

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
    def _last_first(self) -> list[Compiled]:
        return list(_compiled(self._lines))[::-1]


def _compiled(lines: Iterable[str]) -> Iterator[Compiled]:
    """The patterns among some lines, without what can match nothing."""
    import warnings

    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for line in lines:
            try:
                pattern = GitIgnoreSpecPattern(line)
            except (ValueError, re.error):
                continue
            if pattern.regex is not None and line.strip("!/ "):
                yield bool(pattern.include), pattern.regex


def _is_whole(found: re.Match[str], name: str) -> bool:
    """Whether a pattern means this very file or folder, and not one that it lies in."""
    is_folder = name.endswith("/")
    if _INSIDE not in found.re.groupindex:  # `d/**` means all in `d`, and not `d` itself
        return found.end() < len(name) or not is_folder
    if found[0] == "/":  # `*/` means all folders
        return is_folder
    return found[_INSIDE] is None or found.end(_INSIDE) == len(name)


def is_pattern(line: str) -> bool:
    """Whether git would take a line for a pattern, a comment or an empty line, and not for one that matches nothing."""
    return _says_nothing(line) or any(_compiled([line]))


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.startswith("#")


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
        with open(os.path.join(folder, *name), encoding="utf-8", errors="replace", newline="\n") as lines:
            patterns = [line.removesuffix("\n").removesuffix("\r") for line in lines]
    except OSError:
        return ()
    return (Patterns(patterns, folder),)
