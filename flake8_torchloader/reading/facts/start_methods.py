"""Calls that set the start method of the whole program, and that run once too often."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import libcst as cst

from flake8_torchloader.main_program import Again, StartMethodSet
from flake8_torchloader.module import Place
from flake8_torchloader.reading.facts.loaders import LoaderReader
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.project.import_time import imported_files
from flake8_torchloader.reading.project.outline import imported_names
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.start_method import ALL_METHODS, PICKLING_METHODS, StartMethod

_SETTERS = {
    "multiprocessing.set_start_method", "torch.multiprocessing.set_start_method",
    "multiprocessing.context.set_start_method",
}  # fmt: skip
_MAIN_PROGRAM = {Place.IMPORT, Place.GUARDED}

_BUSY = re.compile(r"DataLoader\((?:[^()]|\([^()]*\))*?\bnum_workers\s*=\s*(?!(?:0|None)\s*[,)])")
"""A loader that may have workers, as the text of another file shows it."""


class StartMethodReader:
    """Finds the calls of one file that will be refused, because the start method is set by then."""

    def __init__(
        self, names: Names, values: Values, places: Places, loaders: LoaderReader, tree: ast.Module
    ) -> None:
        self.names = names
        self.tree = tree
        self.values = values
        self.places = places
        self.loaders = loaders

    def read(self) -> Iterator[StartMethodSet]:
        """Each call once; those that insist, and those whose refusal is caught, are fine."""
        found = [call for call in self.names.file.calls if self.names.callee_name(call) in _SETTERS]
        strict = [call for call in found if not self._is_forced(call) and call.spot.block.is_certain]
        earlier: list[Expression] = []
        for call in (call for call in strict if id(call.node) not in self.names.file.awaited):
            again = self._again(call, earlier)
            earlier.append(call)
            if again is not None:
                method = self._method(call)
                methods = frozenset({method}) if again is Again.IMPORT and method else ALL_METHODS
                yield StartMethodSet(call, "" if method is None else method.value, again, methods)

    def _again(self, call: Expression, earlier: list[Expression]) -> Again | None:
        """Why a call runs once more than it may, if it does."""
        places, function = self.places.of(call.spot), call.spot.scope.function
        if any(_follows(other, call) for other in earlier) and places & _MAIN_PROGRAM:
            return Again.TWICE
        if Place.WORKER in places:
            return Again.DATASET
        if function is not None and Place.BUILD in places and len(self.names.calls.sites(function)) > 1:
            return Again.DATASET
        is_at_import = Place.IMPORT in places and self._method(call) in PICKLING_METHODS
        return Again.IMPORT if is_at_import and self._starts_workers else None

    @cached_property
    def _starts_workers(self) -> bool:
        """Whether the program has a loader with workers: in this file, or in one that is imported with it."""
        imports = self.names.imports
        own = any(loader.has_workers for loader in self.loaders.calls)
        others = imported_files(imports, imported_names(self.tree)) if imports is not None and not own else ()
        return own or any(_BUSY.search(file.text) for file in others)

    def _method(self, call: Expression) -> StartMethod | None:
        given = [arg for arg in _args(call) if arg.keyword is None or arg.keyword.value == "method"]
        text = self.values.value(call.of(given[0].value)).only if given else None
        return next((method for method in StartMethod if method.value == text), None)

    def _is_forced(self, call: Expression) -> bool:
        """Whether `force` is given, and not as False."""
        plain = [arg for arg in _args(call) if arg.keyword is None][1:2]
        named = [arg for arg in _args(call) if arg.keyword is not None and arg.keyword.value == "force"]
        return any(self.values.value(call.of(arg.value)).may_be_nonzero for arg in (*plain, *named))


def _args(call: Expression) -> Sequence[cst.Arg]:
    return call.node.args if isinstance(call.node, cst.Call) else ()


def _follows(earlier: Expression, later: Expression) -> bool:
    """Whether the same run of one function, or of the file, comes from one call to the other."""
    return earlier.spot.scope.function is later.spot.scope.function and earlier.spot.order < later.spot.order
