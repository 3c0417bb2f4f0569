"""The loaders that a dataset class may reach though its own file doesn't show it: a file that imports it has them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.disk import files_with
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.project.import_time import importing_files
from flake8_torchloader.reading.project.other_file import OtherFile
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Scope

_LOADER = "DataLoader"
_SPLITS = "worker_info"
"""What a file speaks of that gives each worker its part from outside."""

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
        files = list(self._importing(scope))
        if any(_SPLITS in file.text for file in files):
            return []
        others = (self.loaders.loader_call(call) for file in files for call in file.calls_named(_LOADER))
        found = [*self.loaders.calls, *(loader for loader in others if loader is not None)]
        seen = [loader for loader in found if any(_makes(leaf, scope) for leaf in self._datasets(loader))]
        if seen:
            return seen
        open_ones = [loader for loader in found if not self._is_other(loader)]
        is_settled = self._is_built(scope, files) and all(loader.has_workers for loader in open_ones)
        return open_ones if is_settled else []

    def _is_built(self, scope: Scope, files: list[OtherFile]) -> bool:
        """Whether an object of a class is made by this file or by one of those that import it."""
        own = (call for call in self.names.file.calls if last_name(call.node) == scope.name)
        return any(own) or any(file.calls_named(scope.name) for file in files)

    def _importing(self, scope: Scope) -> Iterator[OtherFile]:
        imports = self.names.imports
        if imports is not None:
            yield from importing_files(imports, files_with((scope.name,), imports.project.top)[:_MOST])

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
