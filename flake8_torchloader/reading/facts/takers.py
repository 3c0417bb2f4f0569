"""The loaders that a dataset class may reach though its own file doesn't show it: files that import it have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import libcst as cst

from flake8_torchloader.disk import files_with
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.project.import_time import importing_files
from flake8_torchloader.reading.project.other_file import OtherFile, other_file
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Scope

_LOADER = "DataLoader"
_WORKERS = "num_workers"
_SPLITS = "worker_info"
"""What a file speaks of that gives each worker its part from outside."""

_MENTION = re.compile(r"^[ \t]*from[ \t].*?[ \t]import[ \t]*(\([^)]*\)|.*)|#.*", re.MULTILINE)
"""What names things without using them: imports and comments."""

_MOST = 32
"""How many files are looked at that have the name of a class."""


class Takers:
    """Finds the loaders of this file, and of those that import it, which may be given objects of one of its classes."""

    def __init__(self, names: Names, loaders: LoaderReader) -> None:
        self.names = names
        self.loaders = loaders

    def of(self, scope: Scope) -> list[LoaderCall]:
        """The loaders that are given an object where they are built; else those of which it isn't known what they get.

        None at all where another file may split the data, where no object is seen to be made, or where a loader that
        may get one has no workers: then it is left open which one does.
        """
        files = list(self._importing(scope.name))
        if any(_SPLITS in file.text for file in files):
            return []
        found = [*self.loaders.calls, *(loader for file in files for loader in self._loaders_of(file))]
        seen = [loader for loader in found if self._gets(loader, scope)]
        if seen:
            return seen
        open_ones = [loader for loader in found if not self._is_other(loader)]
        is_settled = self._is_built(scope, files) and all(loader.has_workers for loader in open_ones)
        return open_ones if is_settled else []

    def leave_idle(self, scope: Scope) -> bool:
        """Whether other files build objects of a class, or of one that this file derives from it, for no workers.

        Each of the files that speak of it must have a loader that gets one, and none of those any workers: what a
        file without a loader builds may be for one that nobody sees, if the project has any with workers. Tests say
        nothing of what is used in earnest.
        """
        derived = [one for one in self.names.file.classes if scope in self.names.bases(one)]
        users = [(file, one) for one in (scope, *derived) for file in self._using(one) if not self._is_test(file.path)]
        if all(self._is_idle_in(file, one) for file, one in users):
            return bool(users)
        return any(file.calls_named(one.name) for file, one in users) and self._are_all_idle

    @cached_property
    def _are_all_idle(self) -> bool:
        """Whether the project has loaders, and no word for workers outside of its tests."""
        imports = self.names.imports
        if imports is None or not all(map(self._is_test, files_with((_WORKERS,), imports.project.top))):
            return False
        paths = [path for path in files_with((f"{_LOADER}(",), imports.project.top) if not self._is_test(path)]
        files = [other_file(path) for path in paths[:_MOST]]
        calls = [call for file in files if file is not None for call in file.calls_named(_LOADER)]
        found = [self.loaders.loader_call(call) for call in calls]
        return bool(found) and all(loader is not None and not loader.has_workers for loader in found)

    def _is_test(self, path: Path) -> bool:
        """Whether a file is one of the tests of the project, by its name or that of its folder."""
        top = self.names.imports.project.top if self.names.imports is not None else path.parent
        parts = path.relative_to(top).parts if path.is_relative_to(top) else (path.name,)
        return any(part.startswith(("test_", "tests", "conftest")) or part == "test" for part in parts)

    def busy(self, scope: Scope) -> list[LoaderCall]:
        """The loaders with workers that are seen to get an object of a class in the files that import it."""
        found = [loader for file in self._using(scope) for loader in self._loaders_of(file)]
        return [loader for loader in found if loader.has_workers and self._gets(loader, scope)]

    def _using(self, scope: Scope) -> Iterator[OtherFile]:
        return (file for file in self._importing(scope.name) if _uses(file, scope.name))

    def _is_idle_in(self, file: OtherFile, scope: Scope) -> bool:
        found = self._loaders_of(file) if file.calls_named(scope.name) else []
        seen = [loader for loader in found if self._gets(loader, scope)]
        given = seen or [loader for loader in found if not self._is_other(loader)]
        return bool(given) and not any(loader.has_workers for loader in given)

    def _loaders_of(self, file: OtherFile) -> list[LoaderCall]:
        found = (self.loaders.loader_call(call) for call in file.calls_named(_LOADER))
        return [loader for loader in found if loader is not None]

    def _gets(self, loader: LoaderCall, scope: Scope) -> bool:
        return any(_makes(leaf, scope) for leaf in self._datasets(loader))

    def _is_built(self, scope: Scope, files: list[OtherFile]) -> bool:
        """Whether an object of a class is made by this file or by one of those that import it."""
        own = (call for call in self.names.file.calls if last_name(call.node) == scope.name)
        return any(own) or any(file.calls_named(scope.name) for file in files)

    def _importing(self, name: str) -> Iterator[OtherFile]:
        imports = self.names.imports
        if imports is not None:
            yield from importing_files(imports, files_with((name,), imports.project.top)[:_MOST])

    def _datasets(self, loader: LoaderCall) -> list[Leaf]:
        return [leaf for given in loader.arguments.of("dataset") for leaf in self.names.sources(given)]

    def _is_other(self, loader: LoaderCall) -> bool:
        """Whether all that a loader may be given is made by another class, or is a list or the like."""
        leaves = self._datasets(loader)
        return bool(leaves) and all(isinstance(leaf, Literal) and self._is_known(leaf) for leaf in leaves)

    def _is_known(self, leaf: Literal) -> bool:
        if not isinstance(leaf.node, cst.Call):
            return not isinstance(leaf.node, (cst.Attribute, cst.Subscript))
        names = list(map(_name, self.names.callee(leaf.expression)))
        return bool(names) and all(name[:1].isupper() for name in names)


def _uses(file: OtherFile, name: str) -> bool:
    """Whether a file does more with a class than to import it, or to hand it on as the `__init__.py` of a package."""
    is_spoken_of = re.search(rf"\b{re.escape(name)}\b", _MENTION.sub("", file.text)) is not None
    return is_spoken_of and (file.path.name != "__init__.py" or bool(file.calls_named(name)))


def _name(leaf: Leaf) -> str:
    """What a class or function is called; empty if it isn't known."""
    match leaf:
        case Defined(scope=scope):
            return scope.name
        case Imported(name=name):
            return name.rpartition(".")[2]
    return ""


def _makes(leaf: Leaf, scope: Scope) -> bool:
    """Whether a value is an object of a class, by its name."""
    return isinstance(leaf, Literal) and isinstance(leaf.node, cst.Call) and last_name(leaf.node) == scope.name
