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


def files_of(paths: Iterable[Path], config: Config) -> Iterator[Path | Problem]:
    """The files that paths mean, each once: a file means itself, a folder the programs and notebooks in and below it.

    Below a folder, hidden folders, `build`, `node_modules`, `__pycache__`, virtual environments (known by their
    `pyvenv.cfg`) and what git ignores are passed over, and links to folders are not followed. What the user excludes
    is passed over also where it is named, so that it makes no difference who lists the files.
    """
    search = Search(config)
    seen = set()
    for path in paths:
        for found in search.below(path) if path.is_dir() else search.file(path):
            if found not in seen:
                seen.add(found)
                yield found


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
        for home, folders, files in os.walk(start, onerror=_collector(problems)):
            place = os.path.normpath(os.path.join(absolute, os.path.relpath(home, start)))
            entered = (name for name in folders if not _is_skipped(home, name))
            folders[:] = sorted(n for n in entered if not self._is_out(place, n, ignored, is_folder=True))
            for name in sorted(name for name in files if name.endswith(SUFFIXES)):
                if Path(home, name).is_file() and not self._is_out(place, name, ignored, is_folder=False):
                    yield Path(home, name)
        yield from problems

    def _is_out(self, folder: str, name: str, ignored: Ignored, *, is_folder: bool) -> bool:
        path = os.path.join(folder, name)
        return self._excluded.match(path, is_folder=is_folder) or ignored(path, is_folder=is_folder)


def _collector(problems: list[Problem]) -> Callable[[OSError], None]:
    return lambda error: problems.append(Problem(Path(error.filename), error.strerror or "can't be read"))


def _not_ignored(path: str, *, is_folder: bool) -> bool:
    return False


def _is_skipped(home: str, name: str) -> bool:
    return name.startswith(".") or name in SKIPPED or os.path.exists(os.path.join(home, name, "pyvenv.cfg"))
