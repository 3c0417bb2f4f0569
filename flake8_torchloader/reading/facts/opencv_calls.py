"""The calls of OpenCV in a file, and what other files do about its threads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import libcst as cst

from flake8_torchloader.disk import files_with
from flake8_torchloader.families.opencv import LIMIT, SERIAL, VARIABLE
from flake8_torchloader.module import UNKNOWN, Call, Place
from flake8_torchloader.reading.facts.datasets import DatasetReader
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.project.import_time import imported_files, importing_files
from flake8_torchloader.reading.project.other_file import OtherFile
from flake8_torchloader.reading.project.outline import imported_names
from flake8_torchloader.reading.tree.scopes import Expression, Running, Scope

_SETTER = LIMIT.rpartition(".")[2]
_MOST = 200
"""How many functions of other files are looked at for what workers run."""


class OpenCVReader:
    """Finds the calls of OpenCV, wherever the name `cv2` was imported from."""

    def __init__(self, names: Names, values: Values, datasets: DatasetReader) -> None:
        self.names = names
        self.values = values
        self.datasets = datasets

    def read(self, tree: ast.Module) -> Iterator[Call]:
        """Those of this file; those of others that workers run; and the limits of others, where they matter."""
        own = list(self._own())
        is_limited = any(call.name == LIMIT for call in own)
        own = own if is_limited else [self._unless_idle(call) for call in own]
        others = [self._in_datasets_elsewhere()] if is_limited else [self._in_functions_elsewhere(), self._sent()]
        calls = [*own, *chain.from_iterable(others)]
        yield from calls
        if is_limited or any(_may_start_threads(call) for call in calls):
            yield from self._limits_elsewhere(tree, is_limited=is_limited)

    def _own(self) -> Iterator[Call]:
        for call in self.names.file.calls:
            name = self.names.callee_name(call)
            start = f".{name}".find(".cv2.")
            if start >= 0:
                args = call.node.args if isinstance(call.node, cst.Call) else ()
                value = self.values.value(call.of(args[0].value)) if args else UNKNOWN
                yield Call(call, name[start:], self.datasets.places.of(call.spot), value, name[:start].strip("."))

    def _unless_idle(self, call: Call) -> Call:
        """A call that might be spoken of, without the workers where its datasets never meet any."""
        if not isinstance(call.site, Expression) or not _may_start_threads(call):
            return call
        is_idle = self.datasets.is_for_idle(call.site.spot.scope.function)
        return replace(call, places=call.places - {Place.WORKER}) if is_idle else call

    def _in_datasets_elsewhere(self) -> Iterator[Call]:
        """What datasets of other files run in workers that a loader of this file starts."""
        for method in (one for one in self.datasets.run_by if not self.names.is_own(one)):
            yield from (Call(None, name, frozenset({Place.WORKER})) for name in self._below(method))

    def _in_functions_elsewhere(self) -> Iterator[Call]:
        """What functions of other files do that worker code calls; a call stands where this file calls the function."""
        for call in self.names.file.calls if self.names.imports is not None else ():
            if Place.WORKER in self.datasets.places.of(call.spot):
                for target, _ in self.names.calls.targets(call):
                    names = [] if self.names.is_own(target) else self._below(target)
                    yield from (Call(call, name, frozenset({Place.WORKER}), inside=target.name) for name in names)

    def _sent(self) -> Iterator[Call]:
        """What functions and plain classes of other files do in workers, at the loader that sends them.

        Their own file can't tell that workers run them, unless the class is a dataset by its bases.
        """
        for method, loaders in self.datasets.run_by.items():
            owner = method.owner
            site = next((site for loader in loaders for site in loader.sites), None)
            if site is None or self.names.is_own(method) or (owner is not None and self.datasets.is_dataset(owner)):
                continue
            inside = owner.name if owner is not None else method.name
            for name in self._below(method):
                yield Call(site, name, frozenset({Place.WORKER}), inside=inside)

    def _below(self, function: Scope) -> list[str]:
        """The functions of OpenCV that another file's function calls, itself or through others."""
        found: dict[str, None] = {}
        queue, seen = [function], set[Scope]()
        while queue and len(seen) < _MOST:
            current = queue.pop()
            if current in seen or not self.names.may_lead_to("cv2", current):
                continue
            seen.add(current)
            for call in self.names.calls_in(current):
                name = self.names.callee_name(call)
                found.update({name: None} if name.startswith("cv2.") else {})
                queue += [target for target, _ in self.names.calls.targets(call)]
        return list(found)

    def _limits_elsewhere(self, tree: ast.Module, *, is_limited: bool) -> Iterator[Call]:
        """Limits in the files that this one imports; without any, those in scripts that import this one."""
        imports = self.names.imports
        limiting = set(files_with((_SETTER, VARIABLE), imports.project.top)) if imports is not None else set()
        if imports is None or limiting <= {imports.path}:
            return
        found: list[Call] = []
        for file in imported_files(imports, imported_names(tree)):
            found += _limits(file, is_main=False) if file.path in limiting else []
            if any(limit.places for limit in found):
                break
        if not found and not is_limited:
            scripts = importing_files(imports, sorted(limiting))
            found = [limit for file in scripts for limit in _limits(file, is_main=True)]
        yield from found


def _may_start_threads(call: Call) -> bool:
    return Place.WORKER in call.places and call.name.removeprefix("cv2.") not in SERIAL


def _limits(file: OtherFile, *, is_main: bool) -> Iterator[Call]:
    """The limits that another file sets; whether one in a function, or under its main guard, acts is unknown."""
    if VARIABLE in file.text:
        yield Call(None, LIMIT, frozenset({Place.IMPORT}))
    for call in file.calls_named(_SETTER):
        is_sure = call.spot.scope.function is None and call.spot.running is Running.ALWAYS
        if is_main or call.spot.running is Running.ALWAYS:
            yield Call(None, LIMIT, frozenset({Place.IMPORT}) if is_sure else frozenset())
