"""Whether what a dataset keeps is its data, or only an index to what its workers read item by item."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.facts.datasets import DatasetReader
from flake8_torchloader.reading.flow.leaves import Defined
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.known import ITEM_READERS, UNPICKLERS, WHOLE_READERS
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression, Scope
from flake8_torchloader.reading.tree.walk import below

TABLES = ("pandas", "polars")
"""The libraries whose tables are data in one program, and lists of files in another."""

_READS = re.compile(r"^(load|read|open|imread|decode)|_(load|read|open|decode)|(loader|reader|imread)$", re.IGNORECASE)
"""Functions of unknown code that read one sample, by their name."""

_LABELS = ("label", "target", "class", "index", "indices", "ids", "mean", "std", "name", "path", "file", "anno", "meta",
           "split", "len", "weight", "vocab", "config", "pose", "anchor", "scaler", "encoder", "tokenizer", "matrix",
           "intrinsic", "calib", "stat", "param", "2id", "2idx",
           "box")  # fmt: skip
"""Attributes that hold a small thing beside each sample: one number, one name."""


class Indexes:
    """Answers what the workers of one file's datasets do with what these keep."""

    def __init__(self, names: Names, datasets: DatasetReader) -> None:
        self.names = names
        self.datasets = datasets

    def reads_items(self, scope: Scope) -> bool:
        """Whether the workers read files item by item, so that what is kept is only an index to them."""
        worker = self.datasets.worker_functions(scope)
        for call in (call for function in worker for call in self.names.calls_in(function)):
            name = self.names.callee_name(call)
            if name in ITEM_READERS or name in WHOLE_READERS or name == "builtins.open":
                return True
            if name.startswith("ffmpeg.") or (_READS.search(last_name(call.node)) and not self._is_ours(call)):
                return True
        return any(m.name in ("loader", "_load_image", "load_image") for m in scope.methods())

    def _is_ours(self, call: Expression) -> bool:
        return any(isinstance(leaf, Defined) for leaf in self.names.callee(call))

    def is_looked_up(self, scope: Scope, source: str, attribute: str) -> bool:
        """Whether a table or a pickle may be a list of files or a mapping of names, for all that this class tells.

        A table may where workers read no more than one column of it, or nothing, as in a class that leaves it to
        others what an item is; a pickle where no worker takes elements out of it.
        """
        worker = self.datasets.worker_functions(scope)
        if source in UNPICKLERS:
            return not any(_takes_elements(one, attribute) for one in worker)
        return source.startswith(TABLES) and len({use for one in worker for use in _uses(one, attribute)}) < 2


def _uses(function: Scope, attribute: str) -> Iterator[str]:
    """The columns that a function takes of a table, by their names; for any other use two, as that may be all."""
    named = {}
    for node in below(function.node):
        match node:
            case cst.Subscript(
                value=cst.Attribute(attr=cst.Name(value=name)) as table,
                slice=[cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as column))],
            ) if name == attribute:
                named[id(table)] = str(column.evaluated_value)
    for node in below(function.node):
        if isinstance(node, cst.Attribute) and node.attr.value == attribute:
            yield from [named[id(node)]] if id(node) in named else ("", "*")


def _takes_elements(function: Scope, attribute: str) -> bool:
    """Whether a function goes into an attribute of that name by a key, or through it."""
    for node in below(function.node):
        match node:
            case cst.Subscript(value=cst.Attribute(attr=cst.Name(value=name))) if name == attribute:
                return True
            case cst.For(iter=cst.Attribute(attr=cst.Name(value=name))) if name == attribute:
                return True
    return False


def names_labels(name: str) -> bool:
    """Whether a name is that of something small beside each sample, such as its label."""
    return any(word in name.lower() for word in _LABELS) or not {"y", "ys"}.isdisjoint(name.lower().split("_"))
