"""The files, archives, databases and videos that datasets keep open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from flake8_torchloader.kept import Handle
from flake8_torchloader.reading.facts.keepsakes import Keepsake, KeepsakeReader
from flake8_torchloader.reading.facts.openers import OPENERS, PATHS, READERS, Opener
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.paths import ends_in
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.start_method import PICKLING_METHODS, StartMethod

_DEEPEST = 8
"""How many parts of parts of a file are followed back to the file."""

_KEEPS_UNREAD = {"append", "add", "insert", "setdefault"}
"""What can be done with an open image without its being read."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A call that opened something, and whether what is looked at is only a part of that."""

    call: Expression
    name: str
    is_view: bool = False

    @property
    def opener(self) -> Opener:
        """What is known of such handles."""
        return OPENERS[self.name]


class HandleReader:
    """Finds what the datasets of one file keep open."""

    def __init__(self, names: Names, keepsakes: KeepsakeReader) -> None:
        self.names = names
        self.keepsakes = keepsakes

    def read(self) -> Iterator[Handle]:
        """Every handle once, however many attributes lead to it, and one for each value that is kept."""
        seen: set[int] = set()
        for keepsake in self.keepsakes.all:
            opened = self._opened(keepsake.leaf) if isinstance(keepsake.leaf, Literal) else None
            methods = self._methods(keepsake, opened.opener) if opened is not None else frozenset()
            if opened is None or not methods or self.keepsakes.datasets.is_left_idle(keepsake.dataset):
                continue
            if seen.isdisjoint(_ids(opened, keepsake)):
                seen.update(_ids(opened, keepsake))
                yield Handle(
                    site=keepsake.value,
                    source=opened.name,
                    attribute=f"self.{keepsake.attribute}",
                    is_view=opened.is_view,
                    opened=keepsake.made_at(opened.call),
                    kept=keepsake.kept,
                    methods=methods,
                    loaders=keepsake.dataset.sites,
                )

    def _methods(self, keepsake: Keepsake, opener: Opener) -> frozenset[StartMethod]:
        """The start methods under which a dataset can't live with such a handle."""
        dataset = keepsake.dataset
        is_sent = not opener.is_picklable and not self.names.chooses_state(dataset.scope)
        methods = PICKLING_METHODS if is_sent else frozenset()
        if opener.shares_position and self.keepsakes.is_read_by_workers(dataset, keepsake.attribute):
            methods |= {StartMethod.FORK}
        return methods & dataset.methods

    # --- what is open

    def _opened(self, leaf: Literal, depth: int = 0) -> Opened | None:
        match leaf.node:
            case cst.Call() as node if depth < _DEEPEST:
                return self._call(leaf.expression, node, depth)
            case cst.Subscript(value=base, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
                return self._member(self._behind(leaf.expression.of(base), depth), key)
            case cst.Attribute(value=base, attr=cst.Name(value=name)):
                return _part(self._behind(leaf.expression.of(base), depth), name)
        return None

    def _behind(self, expression: Expression, depth: int) -> Opened | None:
        """What was opened where a part of it is taken."""
        leaves = self.names.sources(expression) if depth < _DEEPEST else []
        found = (self._opened(leaf, depth + 1) for leaf in leaves if isinstance(leaf, Literal))
        return next((opened for opened in found if opened is not None), None)

    def _call(self, call: Expression, node: cst.Call, depth: int) -> Opened | None:
        name = self.names.callee_name(call)
        if name in OPENERS:
            return Opened(call, name) if self._stays_open(call, node, name) else None
        if name in READERS and node.args:
            opened = self._behind(call.of(node.args[0].value), depth)
            return None if opened is None else replace(opened, is_view=True)
        if not isinstance(node.func, cst.Attribute):
            return None
        base, method = call.of(node.func.value), node.func.attr.value
        if method == "open" and any(self._is_path(leaf) for leaf in self.names.sources(base)):
            return Opened(call, "pathlib.Path.open")
        return _part(self._behind(base, depth), method)

    def _is_path(self, leaf: object) -> bool:
        return isinstance(leaf, Literal) and self.names.callee_name(leaf.expression) in PATHS

    @staticmethod
    def _member(opened: Opened | None, key: cst.BaseExpression) -> Opened | None:
        """`file[name]` is a part of the file, and so is `file[group]["name"]`; other keys read the data."""
        if opened is None or not opened.opener.has_members:
            return None
        is_name = isinstance(key, (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString))
        return replace(opened, is_view=True) if is_name or not opened.is_view and not _is_number(key) else None

    def _stays_open(self, call: Expression, node: cst.Call, name: str) -> bool:
        """An array is read at once unless it comes from an `.npz`; an image as soon as something is done with it."""
        match name:
            case "numpy.load":
                return bool(node.args) and ends_in(self.names, call.of(node.args[0].value), ".npz")
            case "PIL.Image.open":
                return not self._is_read_at_once(call)
        return True

    def _is_read_at_once(self, image: Expression) -> bool:
        """Whether the function that opens an image calls a method of it, or hands it to anybody."""
        local = self.names.file.names.get(id(image.node), "")
        for call in self.names.calls_in(image.spot.scope.function) if local else ():
            node = call.node
            if not isinstance(node, cst.Call) or last_name(node) in _KEEPS_UNREAD:
                continue
            base = node.func.value if isinstance(node.func, cst.Attribute) else None
            if any(isinstance(n, cst.Name) and n.value == local for n in (base, *(arg.value for arg in node.args))):
                return True
        return False


def _ids(opened: Opened, keepsake: Keepsake) -> set[int]:
    return {id(opened.call.node), id(keepsake.value.node)}


def _part(opened: Opened | None, name: str) -> Opened | None:
    """What a method or attribute gives that is as open as the whole."""
    return replace(opened, is_view=True) if opened is not None and name in opened.opener.views else None


def _is_number(key: cst.BaseExpression) -> bool:
    return isinstance(key, (cst.Integer, cst.Tuple, cst.Ellipsis, cst.UnaryOperation))
