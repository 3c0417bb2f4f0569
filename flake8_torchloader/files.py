"""Which files a path means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.choosing.patterns import GitIgnore, Patterns
from flake8_torchloader.problem import Problem

Ignored = Callable[..., bool]

NOTEBOOK = ".ipynb"
SUFFIXES = (".py", NOTEBOOK)
"""What the names of files end with that are looked for in folders."""

SKIPPED = frozenset({"build", "node_modules", "__pycache__"})

APPLE_DOUBLE = "._"
"""What the name of a file begins with that macOS lays beside `train.py`, `._train.py`, and that holds no program."""


def files_of(paths: Iterable[Path], config: Config) -> Iterator[Path | Problem]:
    """The files that paths mean, each once: a file means itself, a folder the programs and notebooks in and below it.

    Below a folder, hidden folders, `build`, `node_modules`, `__pycache__`, virtual environments (known by their
    `pyvenv.cfg`), what macOS keeps in `._*` and what git ignores are passed over, and links to folders are not
    followed. What the user excludes is passed over also where it is named, so that it makes no difference who lists
    the files.
    """
    search, named = Search(config), list(paths)
    found = (one for path in named for one in (search.below(path) if path.is_dir() else search.file(path)))
    yield from _each_once(found) if len(named) > 1 else found


def _each_once(found: Iterable[Path | Problem]) -> Iterator[Path | Problem]:
    """What several paths mean, by the name that it is met by first, be that relative or absolute."""
    seen = set()
    for one in found:
        name = os.path.abspath(one.path if isinstance(one, Problem) else one)
        if name not in seen:
            seen.add(name)
            yield one


class Search:
    """Goes through folders, and leaves out what the user wants left out."""

    def __init__(self, config: Config) -> None:
        self._excluded = Patterns((*config.exclude, *config.extend_exclude), os.path.abspath(config.root))
        self._respects_gitignore = config.respect_gitignore

    def file(self, path: Path) -> Iterator[Path]:
        """The file itself, unless it is excluded."""
        if not self._excluded.cover(os.path.abspath(path)):
            yield path

    def below(self, start: Path) -> Iterator[Path | Problem]:
        """The files in and below a folder."""
        absolute = os.path.abspath(start)
        if self._excluded.cover(absolute, is_folder=True):
            return
        ignored = GitIgnore(absolute).match if self._respects_gitignore else _not_ignored
        problems: list[Problem] = []
        waiting = [(str(start), absolute)]
        while waiting:
            home, place = waiting.pop()
            entries = _entries(home, problems)
            if home != str(start) and any(entry.name == "pyvenv.cfg" for entry in entries):
                continue
            for entry in entries:
                if _is_program(entry) and not self._is_out(place, entry, ignored):
                    yield Path(entry.path)
            inner = [e for e in entries if _is_entered(e) and not self._is_out(place, e, ignored)]
            waiting += [(entry.path, os.path.join(place, entry.name)) for entry in reversed(inner)]
        yield from problems

    def _is_out(self, folder: str, entry: os.DirEntry[str], ignored: Ignored) -> bool:
        path, is_folder = os.path.join(folder, entry.name), entry.is_dir(follow_symlinks=False)
        return self._excluded.match(path, is_folder=is_folder) or ignored(path, is_folder=is_folder)


def _entries(folder: str, problems: list[Problem]) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; what can't be read is a problem."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        problems.append(Problem(Path(folder), error.strerror or "can't be read"))
        return []


def _is_program(entry: os.DirEntry[str]) -> bool:
    """Whether it is a program or a notebook by its name, and a file or leads to one, and not to itself."""
    if not entry.name.endswith(SUFFIXES) or entry.name.startswith(APPLE_DOUBLE):
        return False
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_entered(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, no link to one, and not one of those that are nobody's own."""
    return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and entry.name not in SKIPPED


def _not_ignored(path: str, *, is_folder: bool) -> bool:
    return False
