"""The arguments of a call, read exactly: what may or may not be given counts as unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from flake8_torchloader.reading.flow.arguments import ArgumentReader
from flake8_torchloader.reading.flow.leaves import Element, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression

_REMOVERS = {"pop", "popitem", "clear", "setdefault"}
"""Methods after which a mapping can't be told by what was put into it."""


@dataclass
class Exactly:
    """The arguments of a call by parameter name; `is_open` if there may be others."""

    by_name: dict[str, Expression] = field(default_factory=dict)
    is_open: bool = False


class ExactReader:
    """Reads what calls are surely given."""

    def __init__(self, names: Names, arguments: ArgumentReader) -> None:
        self.names = names
        self.arguments = arguments
        self._changed: set[str] | None = None

    def read(self, call: Expression, signature: Sequence[str]) -> Exactly:
        """The arguments of a call, those of a `partial` that it goes through included."""
        given = Exactly()
        for partial in self.arguments.partials(call):
            self._add(given, partial, ("", *signature))
        self._add(given, call, signature)
        return given

    def _add(self, given: Exactly, call: Expression, signature: Sequence[str]) -> None:
        positions = iter(signature)
        for arg in call.node.args if isinstance(call.node, cst.Call) else ():
            at = call.of(arg.value)
            if arg.star == "**":
                items = self._mapping(at)
                given.by_name |= items or {}
                given.is_open |= items is None
            elif arg.star:
                given.is_open, positions = True, iter(())
            elif arg.keyword is not None:
                given.by_name[arg.keyword.value] = at
            elif name := next(positions, ""):
                given.by_name[name] = at

    def _mapping(self, mapping: Expression) -> dict[str, Expression] | None:
        """What a `**mapping` gives, or None where that isn't known to the last key."""
        leaves = self.names.sources(mapping)
        literals = [leaf for leaf in leaves if not isinstance(leaf, Element)]
        base = literals[0] if len(literals) == 1 else None
        if not isinstance(base, Literal) or last_name(mapping.node) in self._changed_mappings():
            return None
        items = self._items(base)
        if items is None:
            return None
        for leaf in leaves:
            key = self._written(leaf.expression, mapping) if isinstance(leaf, Element) else ""
            if key is None:
                return None
            if key and isinstance(leaf, Element):
                items[key] = leaf.expression
        return items

    def _items(self, leaf: Literal) -> dict[str, Expression] | None:
        """The items of `{...}` or `dict(...)`."""
        node, at = leaf.node, leaf.expression
        found: dict[str, Expression] = {}
        if isinstance(node, cst.Dict):
            for element in node.elements:
                inner = self._mapping(at.of(element.value)) if isinstance(element, cst.StarredDictElement) else {}
                if isinstance(element, cst.DictElement):
                    if not isinstance(element.key, cst.SimpleString):
                        return None
                    found[str(element.key.evaluated_value)] = at.of(element.value)
                if inner is None:
                    return None
                found |= inner
            return found
        if not isinstance(node, cst.Call) or self.names.callee_name(at) != "builtins.dict":
            return None
        for arg in node.args:
            inner = {} if arg.keyword is not None else self._mapping(at.of(arg.value))
            if inner is None:
                return None
            found |= inner
            if arg.keyword is not None:
                found[arg.keyword.value] = at.of(arg.value)
        return found

    def _written(self, value: Expression, mapping: Expression) -> str | None:
        """The key under which `mapping["key"] = value` surely put a value; None where it is not sure."""
        for target, written in self.names.file.writes:
            if written is value and isinstance(target.node, cst.Subscript):
                index = target.node.slice[0].slice
                is_sure = value.spot.block.encloses(mapping.spot.block) and value.spot.order < mapping.spot.order
                if is_sure and isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
                    return str(index.value.evaluated_value)
                return None
        return None

    def _changed_mappings(self) -> set[str]:
        """The names of what something is taken out of."""
        if self._changed is None:
            funcs = (call.node.func for call in self.names.file.calls if isinstance(call.node, cst.Call))
            removers = (f for f in funcs if isinstance(f, cst.Attribute) and f.attr.value in _REMOVERS)
            self._changed = {last_name(func.value) for func in removers} | self.names.file.emptied
        return self._changed - {""}
