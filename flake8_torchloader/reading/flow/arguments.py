"""Which argument of a call fills which parameter, through `**kwargs`, `partial` and subclasses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from flake8_torchloader.reading.flow.leaves import (
    Defined,
    Element,
    Imported,
    Leaf,
    Literal,
    Opaque,
)
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Expression, Scope


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call by parameter name: several where the call depends on a condition.

    `is_open` tells of a `**mapping` that nobody has seen, and that may give any other.
    """

    given: dict[str, list[Expression]] = field(default_factory=dict)
    is_open: bool = False

    def of(self, name: str) -> list[Expression]:
        """What a parameter may get."""
        return self.given.get(name, [])


class ArgumentReader:
    """Reads the arguments of calls of one file."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def read(self, call: Expression, signature: Sequence[str]) -> Arguments:
        """The arguments of a call, by a signature of positional parameters."""
        given: dict[str, list[Expression]] = {}
        position, is_open = 0, False
        for node in self._args(call.node):
            at = call.of(node.value)
            if node.star == "**":
                is_open |= self._unfold(at, given)
            elif node.star:
                position = len(signature)
            elif node.keyword is not None:
                given.setdefault(node.keyword.value, []).append(at)
            else:
                if position < len(signature):
                    given.setdefault(signature[position], []).append(at)
                position += 1
        return Arguments(given, is_open)

    @staticmethod
    def _args(node: cst.CSTNode) -> Sequence[cst.Arg]:
        return node.args if isinstance(node, cst.Call) else ()

    def _unfold(self, mapping: Expression, given: dict[str, list[Expression]]) -> bool:
        """Add what a `**mapping` is seen to give, and tell whether it may give more.

        A key that is set later, and surely, replaces.
        """
        leaves = self._mapping_leaves(mapping)
        for leaf in leaves:
            items = dict(self._items(leaf)) if isinstance(leaf, Literal) else {}  # the last of a key wins
            for key, value in items.items():
                given.setdefault(key, []).append(value)
        for leaf in leaves:
            items = dict(self._added(leaf)) if isinstance(leaf, Element) else {}
            for key, value in items.items():
                if value.spot.block.encloses(mapping.spot.block) and value.spot.order < mapping.spot.order:
                    given[key] = [value]
                else:
                    given.setdefault(key, []).append(value)
        return any(self._may_have_more(leaf) for leaf in leaves)

    def _mapping_leaves(self, mapping: Expression) -> list[Leaf]:
        """What a mapping may be; for a function's own `**kwargs`, what its callers give."""
        node = mapping.node
        if not isinstance(node, cst.Name):
            return self.names.sources(mapping)
        scope, bindings = mapping.spot.scope.find(node.value)
        if not any(p.star == "**" and p.name == node.value for p in scope.parameters):
            return self.names.sources(mapping)
        added = [Element(b.value.within(mapping.frame)) for b in bindings if b.value is not None]
        return [*(Literal(site.call) for site in self.names.calls.sites(scope, mapping.frame)), *added] or [Opaque()]

    def _items(self, leaf: Literal, depth: int = 0) -> Iterator[tuple[str, Expression]]:
        """The string keys of a dict display, a `dict(...)` call, or the keywords of any call."""
        node, at = leaf.node, leaf.expression
        if isinstance(node, cst.Dict):
            for element in node.elements:
                if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString):
                    yield str(element.key.evaluated_value), at.of(element.value)
                elif isinstance(element, cst.StarredDictElement) and depth < 8:
                    for inner in self.names.sources(at.of(element.value)):
                        if isinstance(inner, Literal):
                            yield from self._items(inner, depth + 1)
        for arg in self._args(node):
            if arg.keyword is not None:
                yield arg.keyword.value, at.of(arg.value)
            elif arg.star == "**" and depth < 8:
                for inner in self.names.sources(at.of(arg.value)):
                    if isinstance(inner, Literal):
                        yield from self._items(inner, depth + 1)

    def _may_have_more(self, leaf: Leaf, depth: int = 0) -> bool:
        """Whether a mapping may have keys that are not written down; depth ends what unfolds itself."""
        match leaf:
            case Literal(node=cst.Call() | cst.Dict()) if depth < 8:
                inner = self._unfolded(leaf.expression)
                return any(self._may_have_more(one, depth + 1) for e in inner for one in self._mapping_leaves(e))
            case Opaque() | Literal():
                return True
        return False

    @staticmethod
    def _unfolded(at: Expression) -> list[Expression]:
        """What a call or a display takes the keys of: `**mapping`."""
        match at.node:
            case cst.Call(args=args):
                return [at.of(arg.value) for arg in args if arg.star == "**"]
            case cst.Dict(elements=elements):
                return [at.of(one.value) for one in elements if isinstance(one, cst.StarredDictElement)]
        return []

    def _added(self, leaf: Element) -> Iterator[tuple[str, Expression]]:
        """`d["key"] = value` and `d.update(...)`."""
        for target, value in self.names.writes_beside(leaf.expression):
            if value.node is leaf.expression.node and isinstance(target.node, cst.Subscript):
                index = target.node.slice[0].slice
                if isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
                    yield str(index.value.evaluated_value), leaf.expression
                return
        for inner in self.names.sources(leaf.expression):
            if isinstance(inner, Literal):
                yield from self._items(inner)

    def partials(self, call: Expression) -> list[Expression]:
        """The calls whose arguments a call has beside its own: `partial(...)`, `super().__init__(...)`."""
        found: list[Expression] = []
        for leaf in self.names.callee(call):
            if isinstance(leaf, Literal) and self.is_partial(leaf):
                found.append(leaf.expression)
            if isinstance(leaf, Defined):
                found += self.super_calls(leaf.scope)
        return found

    def is_partial(self, leaf: Literal) -> bool:
        """Whether a value is a `functools.partial(...)`."""
        return isinstance(leaf.node, cst.Call) and self.names.callee_name(leaf.expression) == "functools.partial"

    def super_calls(self, scope: Scope) -> list[Expression]:
        """The calls of an inherited `__init__` in a class's own."""
        init = scope.method("__init__")
        return [
            call
            for call in self.names.calls_in(init)
            if call.spot.scope is init
            and isinstance(call.node, cst.Call)
            and isinstance(call.node.func, cst.Attribute)
            and call.node.func.attr.value == "__init__"
        ]

    def targets(self, call: Expression) -> Iterator[Imported]:
        """The imported things that a call makes, through `partial` and this file's subclasses."""
        for leaf in self.names.callee(call):
            if isinstance(leaf, Imported):
                yield leaf
            elif isinstance(leaf, Defined):
                yield from (Imported(name) for name in self.names.base_names(leaf.scope))
            elif isinstance(leaf, Literal) and self.is_partial(leaf) and isinstance(leaf.node, cst.Call):
                first = leaf.node.args[0].value if leaf.node.args else None
                names = self.names.imported(leaf.expression.of(first)) if first is not None else []
                yield from (Imported(name) for name in names)
