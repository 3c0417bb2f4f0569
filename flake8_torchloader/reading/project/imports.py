"""What an imported name is, where another file of the same project defines it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_torchloader.disk import is_file
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Namespace, Opaque
from flake8_torchloader.reading.project.other_file import OtherFile, other_file
from flake8_torchloader.reading.project.outline import joined
from flake8_torchloader.reading.project.project import Project
from flake8_torchloader.reading.tree.scopes import Binding, How, Running, Scope
from flake8_torchloader.settings import Settings

if TYPE_CHECKING:
    from flake8_torchloader.reading.flow.names import Names


@dataclass(frozen=True, slots=True)
class Visited:
    """Another file that was looked into, so many imports away from the file that is linted."""

    file: OtherFile
    hops: int


class Imports:
    """Follows the imports of one file, and of the files that those lead to, as far as the settings allow."""

    def __init__(self, names: Names, path: Path, settings: Settings) -> None:
        self.names = names
        self.path = path
        self.project = Project(path)
        self.settings = settings
        self._visited: dict[Scope, Visited] = {}
        self._by_path: dict[Path, Visited | None] = {path: None}
        self._leading: dict[OtherFile, bool] = {}
        self._busy: set[tuple[Scope, str]] = set()
        self._known: dict[tuple[str, Scope], list[Leaf]] = {}

    def file_of(self, module: Scope) -> OtherFile | None:
        """The other file to which a top level belongs; None for that of the linted file."""
        visited = self._visited.get(module)
        return None if visited is None else visited.file

    def leaves(self, name: str, module: Scope) -> list[Leaf]:
        """What a full name may be that is imported in a file; empty where it is no name of the project."""
        key = (name, module)
        if key not in self._known:
            cuts = self.names.cuts
            found = self._found(name, module)
            if cuts != self.names.cuts:
                return found
            self._known[key] = found
        return self._known[key]

    def member(self, module: Scope, name: str) -> list[Leaf]:
        """What another file, as a module, has under a name."""
        visited = self._visited[module]
        return self._last(visited, name, joined(visited.file.path.stem, name))

    def starred(self, name: str, module: Scope) -> list[Leaf]:
        """What a name is that only `from ... import *` can have brought."""
        if name.startswith("_"):
            return []
        for star in reversed(module.stars):
            found = self.leaves(joined(star, name), module)
            if found and found != [Imported(joined(star, name))]:
                return found
        return []

    def modules(self, name: str, path: Path, hops: int) -> Iterator[Visited]:
        """The files that Python runs to import a full name in a file: a module, and the packages that it lies in."""
        if hops > self.settings.follow_depth:
            return
        parts = [part for part in name.split(".") if part]
        for folder in self.project.folders(name, path):
            found = list(self._along(folder, parts, hops))
            if found:
                yield from found
                return

    def leads_on(self, file: OtherFile) -> bool:
        """Whether another file imports anything of the project whenever it is imported itself."""
        if file not in self._leading:
            self._leading[file] = any(self.project.has(name, file.path) for name in file.outline.imports)
        return self._leading[file]

    def _along(self, folder: Path, parts: list[str], hops: int) -> Iterator[Visited]:
        for part in parts:
            path = self.project.submodule(folder, part)
            visited = self._visit(path, hops) if path is not None and path.suffix else None
            if visited is not None:
                yield visited
            if path is None or (path.suffix and path.name != "__init__.py"):
                return
            folder = path.parent if path.suffix else path

    # --- finding the file

    def _found(self, name: str, module: Scope) -> list[Leaf]:
        visited = self._visited.get(module)
        path, hops = (visited.file.path, visited.hops) if visited is not None else (self.path, 0)
        if hops >= self.settings.follow_depth:
            return []
        parts = [part for part in name.split(".") if part]
        for folder in self.project.folders(name, path):
            found = self._descend(folder, parts, name, path, hops + 1)
            if found:
                return found
        return []

    def _descend(self, folder: Path, parts: list[str], full: str, importing: Path, hops: int) -> list[Leaf]:
        """Go from package to module; the last name is what the package binds to it, else a module of that name."""
        here = self._package(folder, importing, hops) if full.startswith(".") else None
        for index, part in enumerate(parts):
            is_last = index == len(parts) - 1
            if is_last and here is not None and (found := self._last(here, part, full)):
                return found
            is_package = here is None or here.file.path.name == "__init__.py"
            path = self.project.submodule(folder, part) if is_package else None
            if path is None:
                return []
            folder = path.parent if path.suffix else path
            here = self._visit(path, hops) if path.suffix else None
            if here is None and (path.suffix or is_last):
                return []
        return [Namespace(here.file.scope)] if here is not None else []

    def _package(self, folder: Path, importing: Path, hops: int) -> Visited | None:
        """The package in which a relative import begins, unless that is what imports."""
        init = folder / "__init__.py"
        is_other = is_file(init) and init not in (importing, self.path)
        return self._visit(init, hops) if is_other else None

    def _visit(self, path: Path, hops: int) -> Visited | None:
        """Look into a file, unless it can't be read or too many were looked into."""
        if path not in self._by_path:
            if len(self._by_path) > self.settings.follow_files:
                return None
            file = other_file(path)
            visited = Visited(file, hops) if file is not None else None
            self._by_path[path] = visited
            if visited is not None:
                self._visited[visited.file.scope] = visited
        return self._by_path[path]

    # --- reading a name of it

    def _last(self, visited: Visited, name: str, full: str) -> list[Leaf]:
        """What a module has under a name: what it binds, or a module of the package."""
        file = visited.file
        if name in file.outline.plain:
            return [Imported(full)]
        key = (file.scope, name)
        if key in self._busy:
            self.names.cuts += 1
            return [Opaque()]
        self._busy.add(key)
        try:
            definition = file.definition(name)
            if definition is not None:
                return [Defined(definition)]
            bound = [leaf for binding in _at_the_end(file.scope, name) for leaf in self.names.bound(binding)]
            return bound or self._submodule(visited, name) or self.starred(name, file.scope)
        finally:
            self._busy.discard(key)

    def _submodule(self, visited: Visited, name: str) -> list[Leaf]:
        path = visited.file.path
        found = self.project.submodule(path.parent, name) if path.name == "__init__.py" else None
        inner = self._visit(found, visited.hops) if found is not None and found.suffix else None
        return [Namespace(inner.file.scope)] if inner is not None else []


def _at_the_end(module: Scope, name: str) -> Iterator[Binding]:
    """The bindings that a name of a top level may have once the file is imported."""
    bindings = module.bindings[name] if name in module.bindings else []
    found: list[Binding] = []
    for binding in reversed([one for one in bindings if one.spot.running is Running.ALWAYS]):
        found.append(binding)
        if binding.how is not How.ADDED and binding.spot.block.parent is None:
            break
    yield from reversed(found)
