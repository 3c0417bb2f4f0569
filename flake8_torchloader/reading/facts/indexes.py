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

_READING_METHODS = ("loader", "_load_image", "load_image")
"""Methods that are there to read one sample."""

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
        calls = (call for function in self.datasets.worker_functions(scope) for call in self.names.calls_in(function))
        return any(map(self._reads, calls)) or any(m.name in _READING_METHODS for m in scope.methods())

    def _reads(self, call: Expression) -> bool:
        """Whether a call reads a file, as far as is known or its name tells."""
        name = self.names.callee_name(call)
        if name in ITEM_READERS or name in WHOLE_READERS or name == "builtins.open" or name.startswith("ffmpeg."):
            return True
        return bool(_READS.search(last_name(call.node))) and not self._is_ours(call)

    def is_kept_or_read(self, scope: Scope, attribute: str) -> bool:
        """Whether an item is taken either of an attribute or of a file: `if self.in_memory: ... else: ...`."""
        worker = self.datasets.worker_functions(scope)
        reading = [call for function in worker for call in self.names.calls_in(function) if self._reads(call)]
        choices = ((one, node) for one in worker for node in below(one.node) if isinstance(node, cst.If))
        return bool(reading) and any(
            _takes_elements(choice.body, attribute) and self._are_beside(reading, choice, function)
            for function, choice in choices
        )

    def _are_beside(self, reading: list[Expression], choice: cst.If, function: Scope) -> bool:
        """Whether all of some calls are made only where the test of an `if` of a function fails."""
        chosen = {id(node) for node in below(choice.body)}
        rest = function.node if _ends(choice.body) else choice.orelse
        others = {id(node) for node in below(rest)} - chosen if rest is not None else set()
        return all(
            bool(calls) and all(id(call.node) in others for call in calls)
            for calls in (self._leading_to(one, function) for one in reading)
        )

    def _leading_to(self, call: Expression, function: Scope) -> list[Expression]:
        """The calls in a function that make another: itself, or those of the method that it stands in."""
        home = call.spot.scope.function
        if home is function:
            return [call]
        calls = self.names.calls_in(function)
        return [one for one in calls if any(target is home for target, _ in self.names.calls.targets(one))]

    def _is_ours(self, call: Expression) -> bool:
        return any(isinstance(leaf, Defined) for leaf in self.names.callee(call))

    def is_looked_up(self, scope: Scope, source: str, attribute: str) -> bool:
        """Whether a table or a pickle may be a list of files or a mapping of names, for all that this class tells.

        A table may where workers read no more than one column of it, or nothing, as in a class that leaves it to
        others what an item is; a pickle where no worker takes elements out of it.
        """
        worker = self.datasets.worker_functions(scope)
        if source in UNPICKLERS:
            return not any(_takes_elements(one.node, attribute) for one in worker)
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


def _ends(body: cst.BaseSuite) -> bool:
    """Whether a function returns at the end of a branch."""
    match body:
        case cst.IndentedBlock(body=[*_, cst.SimpleStatementLine(body=[*_, cst.Return()])]):
            return True
    return False


def _takes_elements(code: cst.CSTNode, attribute: str) -> bool:
    """Whether code goes into an attribute of that name by a key, or through it."""
    for node in below(code):
        match node:
            case cst.Subscript(value=cst.Attribute(attr=cst.Name(value=name))) if name == attribute:
                return True
            case cst.For(iter=cst.Attribute(attr=cst.Name(value=name))) if name == attribute:
                return True
    return False


def names_labels(name: str) -> bool:
    """Whether a name is that of something small beside each sample, such as its label."""
    return any(word in name.lower() for word in _LABELS) or not {"y", "ys"}.isdisjoint(name.lower().split("_"))
