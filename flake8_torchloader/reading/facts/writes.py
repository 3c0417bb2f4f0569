"""Worker code that changes what its dataset keeps: each worker does so with its own copy."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.module import Write, Written
from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.known import COLLECTIONS, HANDLES
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Scope, reaching

_DISPLAYS = (cst.Dict, cst.List, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)
_NUMBERS = (cst.Integer, cst.Float)
_DEEPEST = 4
_CHANGES = (How.ADDED, How.OTHER)


class WriteReader:
    """Finds the lines by which the workers of one file's datasets change them."""

    def __init__(self, names: Names, datasets: DatasetReader) -> None:
        self.names = names
        self.datasets = datasets

    def read(self) -> Iterator[Write]:
        """The first change of each attribute of each dataset that may meet workers."""
        for dataset in self.datasets.by_scope.values():
            if self.datasets.may_be_sent(dataset):
                yield from self.datasets.unless_idle(dataset, self._of(dataset))

    def _of(self, dataset: DatasetClass) -> Iterator[Write]:
        scope, functions = dataset.scope, self.datasets.worker_functions(dataset.scope)
        for name, bindings in scope.attributes.items():
            what = self._kind(scope, name, functions)
            changes = (b for b in bindings if b.how in _CHANGES and b.spot.scope.function in functions)
            found = next((b.value for b in changes if b.value is not None and not self._is_handle(b.value)), None)
            if what is not None and found is not None:
                yield Write(found, f"self.{name}", scope.name, what, dataset.sites)
        for value, name in self._edits(scope, functions):
            if self._kind(scope, name, functions) is Written.CONTAINER:
                yield Write(value, f"self.{name}", scope.name, Written.ITEM, dataset.sites)

    def _kind(self, scope: Scope, name: str, functions: set[Scope]) -> Written | None:
        """What an attribute is while the dataset is built, if it lasts: a container or a number of this process."""
        bound = [b for b in scope.attributes.get(name, ()) if b.how is How.VALUE]
        if not bound or any(binding.spot.scope.function in functions for binding in bound):
            return None
        nodes = [leaf for binding in bound for leaf in self._leaves(binding)]
        if nodes and all(isinstance(leaf.node, _NUMBERS) for leaf in nodes):
            return Written.NUMBER
        return Written.CONTAINER if nodes and all(self._is_container(leaf) for leaf in nodes) else None

    def _leaves(self, binding: Binding) -> list[Literal]:
        leaves = self.names.bound(binding)
        return [leaf for leaf in leaves if isinstance(leaf, Literal)] if leaves else []

    def _is_container(self, leaf: Literal) -> bool:
        return isinstance(leaf.node, _DISPLAYS) or self.names.callee_name(leaf.expression) in COLLECTIONS

    def _is_handle(self, value: Expression, depth: int = 0) -> bool:
        """Whether an open file, or the like, is put away for later, as each worker should; or `file["images"]`."""
        for leaf in self.names.sources(value) if depth < _DEEPEST else ():
            match leaf:
                case Literal(expression=at) if isinstance(at.node, cst.Subscript) and _is_member(at.node):
                    if self._is_handle(at.of(at.node.value), depth + 1):
                        return True
                case Literal(expression=at):
                    name = self.names.callee_name(at)
                    if name in HANDLES or name == "builtins.open" or name.endswith((".open", ".connect")):
                        return True
        return False

    def _edits(self, scope: Scope, functions: set[Scope]) -> Iterator[tuple[Expression, str]]:
        """`item = self.items[index]`, and then `item["key"] = value`."""
        for target, value in self.names.file.writes:
            node = target.node
            if target.spot.scope.function not in functions or not isinstance(node, cst.Subscript):
                continue
            index = node.slice[0].slice
            is_key = isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString)
            if isinstance(node.value, cst.Name) and is_key:
                name = self._kept_under(target.of(node.value))
                if name:
                    yield value, name

    def _kept_under(self, item: Expression) -> str:
        """The attribute of which a name is an element; empty where that isn't certain."""
        bindings = reaching(item.node.value, item.spot) if isinstance(item.node, cst.Name) else []
        bound = [binding for binding in bindings if binding.how is not How.ADDED]
        only = bound[0] if len(bound) == 1 else None
        value = only.value.node if only is not None and only.how is How.VALUE and only.value is not None else None
        if not isinstance(value, cst.Subscript) or not isinstance(value.value, cst.Attribute):
            return ""
        base, method = value.value, item.spot.scope.function
        is_index = isinstance(value.slice[0].slice, cst.Index)
        is_own = method is not None and isinstance(base.value, cst.Name) and base.value.value == method.receiver
        return base.attr.value if is_index and is_own else ""


def _is_member(node: cst.Subscript) -> bool:
    """Whether something is taken by its name, as an open file of HDF5 gives a part of itself."""
    key = node.slice[0].slice
    return isinstance(key, cst.Index) and isinstance(key.value, (cst.SimpleString, cst.FormattedString))
