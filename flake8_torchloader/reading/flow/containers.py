"""What containers hold: unpacked, looped over, or looked up under a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Element, Leaf, Literal, Opaque
from flake8_torchloader.reading.tree.scopes import Expression, Spot

if TYPE_CHECKING:
    from flake8_torchloader.reading.flow.names import Names

_CONTAINERS = {
    cst.Tuple, cst.List, cst.Set, cst.Dict, cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp, cst.Call,
}  # fmt: skip
"""The kinds of node that can be a container; most elements of a long list are of none of them."""

_DEEPEST = 5
"""How many containers deep a loop over a loop is followed."""


class Containers:
    """Answers what the containers of one file hold."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._nested = 0

    def unpack(self, leaves: Sequence[Leaf], path: tuple[int, ...]) -> Sequence[Leaf]:
        """The part of each value that unpacking gives."""
        for index in path:
            leaves = [part for leaf in leaves for part in self._part(leaf, index)]
        return leaves

    def _part(self, leaf: Leaf, index: int) -> list[Leaf]:
        if not isinstance(leaf, Literal):
            return [Opaque()]
        node = leaf.node
        if isinstance(node, (cst.Tuple, cst.List)) and index < len(node.elements):
            if any(isinstance(element, cst.StarredElement) for element in node.elements[: index + 1]):
                return [Opaque()]
            return self.names.sources(leaf.expression.of(node.elements[index].value))
        if isinstance(node, cst.Call):
            passed = self._passed_through(leaf.expression, node, index)
            return self.names.sources(passed) if passed is not None else [leaf]
        return self.elements(leaf.expression)

    def _passed_through(self, call: Expression, node: cst.Call, index: int) -> Expression | None:
        """`a, b = accelerator.prepare(a, b)` gives back what it was given, wrapped."""
        is_prepare = isinstance(node.func, cst.Attribute) and node.func.attr.value in (
            "prepare",
            "setup_dataloaders",
        )
        plain = [arg for arg in node.args if not arg.star and arg.keyword is None]
        if is_prepare and index < len(plain) == len(node.args):
            return call.of(plain[index].value)
        return None

    def elements(self, container: Expression) -> list[Leaf]:
        """What a loop over a value may meet."""
        if self._nested >= _DEEPEST:
            self.names.cuts += 1
            return [Opaque()]
        self._nested += 1
        try:
            return [part for leaf in self.names.sources(container) for part in self._elements(leaf)]
        finally:
            self._nested -= 1

    def _elements(self, leaf: Leaf) -> list[Leaf]:
        if isinstance(leaf, Element):  # of `x.extend(value)` only what the value holds is in it
            is_spread = self.names.is_spread(leaf.expression)
            return self.elements(leaf.expression) if is_spread else self.names.sources(leaf.expression)
        if not isinstance(leaf, Literal) or type(leaf.expression.node) not in _CONTAINERS:
            return [Opaque()]
        node, at = leaf.node, leaf.expression
        if type(node) is cst.Call:
            return self._elements_of_call(at, node)
        match node:
            case cst.Tuple() | cst.List() | cst.Set():
                return [part for element in node.elements for part in self._put_in(at, element)]
            case cst.Dict():
                return [p for e in node.elements for p in self._put_in(at, e)]
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp():
                return self.names.sources(self.inside(at, node, node.elt))
            case cst.DictComp():
                return self.names.sources(self.inside(at, node, node.value))
        return [Opaque()]

    def _elements_of_call(self, at: Expression, node: cst.Call) -> list[Leaf]:
        match node:
            case cst.Call(func=cst.Attribute(value=base, attr=cst.Name(value="values" | "items"))):
                return self.elements(at.of(base))
            case cst.Call(args=[first, *_]) if self.names.callee_name(at) in ("builtins.list", "builtins.tuple"):
                return self.elements(at.of(first.value))
            case _ if self.names.callee_name(at) == "builtins.dict":
                return [p for arg in node.args if arg.keyword for p in self.names.sources(at.of(arg.value))]
        return [Opaque()]

    def _put_in(self, at: Expression, element: cst.BaseElement | cst.BaseDictElement) -> list[Leaf]:
        """What one part of a display puts into it: with a star, all that is in it."""
        if isinstance(element, (cst.StarredElement, cst.StarredDictElement)):
            return self.elements(at.of(element.value))
        return self.names.sources(at.of(element.value))

    def inside(self, at: Expression, comprehension: cst.BaseComp, node: cst.CSTNode) -> Expression:
        """A node inside a comprehension, where the names of the comprehension are known."""
        scope = self.names.inner_scope(at.of(comprehension)) or at.spot.scope
        return Expression(node, Spot(scope, at.spot.block, at.spot.order, at.spot.running, at.spot.top), at.frame)

    def item(self, leaf: Leaf, key: cst.CSTNode | None) -> list[Leaf]:
        """What a container has under a key; all it has where the key isn't known."""
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Dict) and key is not None:
            text = _constant(key)
            for element in leaf.node.elements:
                if isinstance(element, cst.DictElement) and text and _constant(element.key) == text:
                    return self.names.sources(leaf.expression.of(element.value))
        is_row = isinstance(leaf, Literal) and isinstance(leaf.node, (cst.List, cst.Tuple))
        if is_row and isinstance(key, cst.Integer):
            return list(self.unpack([leaf], (int(key.value, 0),)))
        return [part for part in self._elements(leaf) if not isinstance(part, Opaque)]


def _constant(node: cst.CSTNode) -> object:
    if isinstance(node, cst.SimpleString):
        return node.evaluated_value
    return int(node.value, 0) if isinstance(node, cst.Integer) else None
