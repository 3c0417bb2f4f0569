"""What the datasets of a file keep when they are built, one thing at a time, however deep inside others it lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from flake8_torchloader.module import Place
from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.flow.contents import Contents
from flake8_torchloader.reading.flow.leaves import Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How
from flake8_torchloader.reading.tree.walk import below


@dataclass(frozen=True, slots=True)
class Keepsake:
    """A thing that an attribute of a dataset holds; `value` is what the attribute is set to, `kept` where it is."""

    dataset: DatasetClass
    attribute: str
    value: Expression
    kept: Expression
    leaf: Leaf

    def made_at(self, line: Expression) -> Expression:
        """Where it is made: the value itself, if that is the same."""
        return self.value if line.node is self.value.node else line


class KeepsakeReader:
    """Looks through what the datasets that meet workers keep in the end."""

    def __init__(self, names: Names, contents: Contents, datasets: DatasetReader) -> None:
        self.names = names
        self.contents = contents
        self.datasets = datasets

    @cached_property
    def all(self) -> tuple[Keepsake, ...]:
        """Every thing that was made while the dataset was built, or before."""
        return tuple(self._read())

    def _read(self) -> Iterator[Keepsake]:
        for dataset in self.datasets.by_scope.values():
            if not self.datasets.may_be_sent(dataset):
                continue
            for attribute, binding in self.datasets.kept_in_the_end(dataset):
                if binding.value is None or binding.how not in (How.VALUE, How.ADDED):
                    continue
                if self.contents.takes_apart(binding):
                    yield from self._of_parts(dataset, attribute, binding, binding.value)
                else:
                    yield from self._of(dataset, attribute, binding, binding.value)

    def _of_parts(
        self, dataset: DatasetClass, attribute: str, binding: Binding, kept: Expression
    ) -> Iterator[Keepsake]:
        """`self.env, self.txn = connect(path)`, where a function of this project is seen to return both."""
        for leaf in self.names.bound(binding) if isinstance(kept.node, cst.Call) else ():
            if isinstance(leaf, Literal) and self._is_made_in_build(leaf):
                yield Keepsake(dataset, attribute, kept, kept, leaf)

    def _of(self, dataset: DatasetClass, attribute: str, binding: Binding, kept: Expression) -> Iterator[Keepsake]:
        for value in self.contents.given(dataset.scope, binding):
            for leaf, mention in self.contents.of(value, spent=False):
                if self._is_made_in_build(leaf) and not self._is_said_elsewhere(leaf, mention):
                    yield Keepsake(dataset, attribute, value, kept, leaf)

    def _is_said_elsewhere(self, leaf: Leaf, mention: Expression) -> bool:
        """Whether a dataset of another file, which this one holds, keeps a thing by itself."""
        is_foreign = isinstance(leaf, Literal) and not self.names.is_own(leaf.expression.spot.scope)
        return is_foreign and self.names.own(mention) is not mention

    def _is_made_in_build(self, leaf: Leaf) -> bool:
        """Whether a thing is there when the dataset has been built: a method that only workers run makes it later."""
        function = leaf.expression.spot.scope.function if isinstance(leaf, Literal) else None
        if function is None or function.owner is None or function.name in ("__init__", "__post_init__"):
            return True
        return Place.BUILD in self.datasets.places.of_function(function)

    def is_read_by_workers(self, dataset: DatasetClass, attribute: str) -> bool:
        """Whether the worker code of a dataset speaks of an attribute that it doesn't set anew by itself."""
        return any(
            _speaks_of(function.node, function.receiver, attribute)
            for function in self.datasets.worker_functions(dataset.scope)
        ) and not self._is_set_by_workers(dataset, attribute)

    def _is_set_by_workers(self, dataset: DatasetClass, attribute: str) -> bool:
        functions = (b.spot.scope.function for b in dataset.scope.attributes.get(attribute, ()))
        forked = (function for function in functions if function is not None and function.name != "__setstate__")
        found = (self.datasets.places.of_function(function) for function in forked)
        is_set = any(Place.WORKER in places and Place.BUILD not in places for places in found)
        outer = (t.node for t, _ in self.names.file.outer if isinstance(t.node, cst.Attribute))
        return is_set or any(node.attr.value == attribute for node in outer)


def _speaks_of(code: cst.CSTNode, receiver: str | None, attribute: str) -> bool:
    """Whether code has `self.attribute` in it."""
    return any(
        isinstance(node, cst.Attribute)
        and node.attr.value == attribute
        and isinstance(node.value, cst.Name)
        and node.value.value == receiver
        for node in below(code)
    )
