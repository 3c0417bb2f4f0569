"""Which file of the same project an import names: found as Python would find it, and nothing is executed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from flake8_torchloader.disk import exists, is_file, is_folder
from flake8_torchloader.reading.known import LIBRARIES

_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", ".git", ".hg")
"""What lies in the topmost folder of a project."""

_INSTALLED = {"site-packages", "dist-packages"}
_HIGHEST = 12
"""How many folders above a file are looked at for the top of its project."""


class Project:
    """Knows the folders around one file, the `main` one, which is linted; each is looked at once."""

    def __init__(self, main: Path) -> None:
        self.main = main
        self._homes: dict[Path, Path] = {}
        self._tops: dict[Path, tuple[Path, ...]] = {}
        self._modules: dict[tuple[Path, str], Path | None] = {}
        self._folders: dict[tuple[str, Path], tuple[Path, ...]] = {}

    def folders(self, name: str, path: Path) -> tuple[Path, ...]:
        """The folders in which the first part of a name is looked for that the file at `path` imports, in this order.

        For an absolute name: the folder that holds the package of the importing file, that of the linted file, whose
        folder Python searches when it is run, and the folders above up to the top of the project. A library's name is
        never looked for, nor that of a standard module anywhere but beside a script.
        """
        dots = len(name) - len(name.lstrip("."))
        key = (name[:dots] or name.partition(".")[0], path)
        if key not in self._folders:
            self._folders[key] = tuple(path.parents[dots - 1 : dots] if dots else self._absolute(*key))
        return self._folders[key]

    def _absolute(self, first: str, path: Path) -> Iterator[Path]:
        if first in LIBRARIES:
            return
        home = self._home(path.parent)
        if first in sys.stdlib_module_names:
            yield from [home] if home == path.parent else []
            return
        yield from dict.fromkeys([home, self._home(self.main.parent), self.main.parent, *self._above(path.parent)])

    def has(self, name: str, path: Path | None = None) -> bool:
        """Whether a full name that a file imports, else the linted one, begins with a module of the project."""
        first = next(filter(None, name.split(".")), "")
        return any(self.submodule(folder, first) is not None for folder in self.folders(name, path or self.main))

    def submodule(self, folder: Path, name: str) -> Path | None:
        """The file of a module, or the folder of a package without a file of its own, by its name in a folder."""
        key = (folder, name)
        if key not in self._modules:
            self._modules[key] = _submodule(folder, name)
        return self._modules[key]

    @property
    def name(self) -> str:
        """The full name of the linted file, through the packages that it lies in."""
        return ".".join(self.main.relative_to(self._home(self.main.parent)).with_suffix("").parts)

    @property
    def top(self) -> Path:
        """The topmost folder of the project, as far as it can be told."""
        return (self._above(self.main.parent) or (self._home(self.main.parent),))[-1]

    def _home(self, folder: Path) -> Path:
        """The folder that holds the package of which a folder is a part; itself if it is no package."""
        if folder not in self._homes:
            home = folder
            while home.parent != home and is_file(home / "__init__.py"):
                home = home.parent
            self._homes[folder] = home
        return self._homes[folder]

    def _above(self, folder: Path) -> tuple[Path, ...]:
        """The folders around one, up to the top of the project; none where no top is found."""
        if folder not in self._tops:
            around = [folder, *folder.parents][:_HIGHEST]
            top = next((one for one in around if any(exists(one / mark) for mark in _MARKS)), None)
            self._tops[folder] = tuple(around[: around.index(top) + 1]) if top is not None else ()
        return self._tops[folder]


def _submodule(folder: Path, name: str) -> Path | None:
    if not name.isidentifier() or not _INSTALLED.isdisjoint(folder.parts):
        return None
    package = folder / name
    for file in (package / "__init__.py", folder / f"{name}.py"):
        if is_file(file):
            return file
    return package if is_folder(package) else None
