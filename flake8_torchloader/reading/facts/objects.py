"""Containers of many Python objects that datasets keep, and their workers read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.module import Objects
from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.flow.leaves import Element, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import OBJECT_METHODS, OBJECT_READERS
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Block, Expression
from flake8_torchloader.reading.tree.walk import below

_MANY = 100_000
"""Elements of a known number from which on a container counts as large."""

_DEEPEST = 6

_WRAPPERS = {f"builtins.{name}" for name in ("list", "tuple", "sorted", "set", "dict", "enumerate")}
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)

_SMALL = re.compile(
    r"class|vocab|config|cfg|stat|param|2id|_to_|mapping|meta|option|setting|split|name|fold|mean|std"
    r"|path|file|_ids$|^ids$"
)
"""Attributes that hold something small, or what samples are found by, by their name."""


class ObjectReader:
    """Finds what the datasets of one file keep as Python objects, of which there may be many."""

    def __init__(self, names: Names, values: Values, datasets: DatasetReader) -> None:
        self.names = names
        self.values = values
        self.datasets = datasets

    def read(self) -> Iterator[Objects]:
        """The first such container of each attribute."""
        for dataset in self.datasets.by_scope.values():
            if self.datasets.may_be_sent(dataset):
                yield from self.datasets.unless_idle(dataset, self._of(dataset))

    def _of(self, dataset: DatasetClass) -> Iterator[Objects]:
        if self.names.chooses_state(dataset.scope):
            return
        seen: set[str] = set()
        for attribute, binding in self.datasets.kept_in_the_end(dataset):
            source = self._source_of(binding) if attribute not in seen and not _SMALL.search(attribute) else ""
            if source and binding.value is not None and attribute in self._read_by_workers(dataset):
                seen.add(attribute)
                yield Objects(binding.value, source, f"self.{attribute}", dataset.sites)

    def _read_by_workers(self, dataset: DatasetClass) -> set[str]:
        """The attributes that worker code mentions."""
        bodies = (function.node for function in self.datasets.worker_functions(dataset.scope))
        nodes = (node for body in bodies for node in below(body) if isinstance(node, cst.Attribute))
        return {node.attr.value for node in nodes if isinstance(node.value, cst.Name)}

    def _source_of(self, binding: Binding) -> str:
        """What an attribute is filled from, by the name that a message gives it."""
        if binding.path:
            return ""
        found = next(filter(None, (self._source(leaf) for leaf in self.names.bound(binding))), "")
        return found or self._looped(binding)

    def _looped(self, binding: Binding) -> str:
        """What a loop goes through that puts elements into an attribute one by one."""
        block: Block | None = binding.spot.block
        is_added = any(isinstance(leaf, Element) for leaf in self.names.bound(binding))
        while is_added and block is not None and block.scope is binding.spot.block.scope:
            node = block.loop.node if block.loop is not None else None
            if block.loop is not None and isinstance(node, cst.For):
                return self._many(block.loop.of(node.iter))
            block = block.parent
        return ""

    def _source(self, leaf: Leaf, depth: int = 0) -> str:
        if not isinstance(leaf, Literal) or depth > _DEEPEST:
            return ""
        node, at = leaf.node, leaf.expression
        if isinstance(node, _COMPREHENSIONS):
            return self._many(at.of(node.for_in.iter), depth + 1)
        if not isinstance(node, cst.Call):
            return ""
        name = self.names.callee_name(at)
        if name in OBJECT_READERS:
            return f"{name}()"
        if name in _WRAPPERS and node.args:
            return self._many(at.of(node.args[0].value), depth + 1)
        is_method = isinstance(node.func, cst.Attribute) and last_name(node) in OBJECT_METHODS
        return f"{last_name(node)}()" if is_method else ""

    def _many(self, iterated: Expression, depth: int = 0) -> str:
        """What may give many elements: a reader of one of those kinds, an open file, or a large range."""
        for leaf in self.names.sources(iterated):
            node = leaf.node if isinstance(leaf, Literal) else None
            if not isinstance(leaf, Literal) or not isinstance(node, cst.Call):
                continue
            name = self.names.callee_name(leaf.expression)
            if name == "builtins.open":
                return "a file's lines"
            if name == "builtins.range" and node.args:
                bound = self.values.value(leaf.expression.of(node.args[min(1, len(node.args) - 1)].value)).only
                return f"range({bound})" if isinstance(bound, (int, float)) and bound >= _MANY else ""
            found = self._source(leaf, depth)
            if found:
                return found
        return ""
