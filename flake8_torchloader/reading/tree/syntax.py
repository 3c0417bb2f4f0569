"""Walking Python's own tree quickly: only along the fields that can hold what anybody asks about."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator
from typing import Any

_LEAVES = {
    "ctx", "op", "ops", "id", "attr", "kind", "type_comment", "conversion", "name", "module", "level", "asname", "arg",
}  # fmt: skip
"""Fields that hold no node that matters."""

_ANNOTATIONS = {"annotation", "returns"}
"""Fields that hold what nothing is done with."""


class _Fields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node that may hold nodes; a constant has none, nor has what is no node.

    Only fields are followed, never attributes: other plugins of flake8 write the parent of a node on it.
    """

    def __init__(self, left_out: set[str]) -> None:
        super().__init__()
        self.left_out = left_out

    def __missing__(self, kind: type) -> tuple[str, ...]:
        names: tuple[str, ...] = () if issubclass(kind, ast.Constant) else getattr(kind, "_fields", ())
        self[kind] = found = tuple(name for name in names if name not in self.left_out)
        return found


_FIELDS = _Fields(_LEAVES)
_FIELDS_THAT_RUN = _Fields(_LEAVES | _ANNOTATIONS)


def levels(tree: ast.AST, *, with_annotations: bool = True) -> Iterator[list[Any]]:
    """The nodes of a tree, level by level: what is far up comes first, and nesting costs no stack.

    Strings and None, which some lists of nodes hold, are among them.
    """
    level: list[Any] = [tree]
    while level:
        yield level
        level = below(level, with_annotations=with_annotations)


def below(nodes: list[Any], *, with_annotations: bool = True) -> list[Any]:
    """What is right below some nodes; strings and None may be among it."""
    fields = _FIELDS if with_annotations else _FIELDS_THAT_RUN
    found: list[Any] = []
    for node in nodes:
        for name in fields[type(node)]:
            value = getattr(node, name, None)
            if value:
                found += value if type(value) is list else (value,)
    return found


def within(nodes: Iterable[object], closed: Container[type] = ()) -> Iterator[ast.AST]:
    """Some nodes and all below them, but not what is in those of the `closed` kinds."""
    level = list(nodes)
    while level:
        yield from (node for node in level if isinstance(node, ast.AST))
        level = below([node for node in level if type(node) not in closed] if closed else level)


def last_of(node: ast.AST) -> str:
    """The last name of what is called or inherited from: `Dataset` in `torch.utils.data.Dataset`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, with its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])
