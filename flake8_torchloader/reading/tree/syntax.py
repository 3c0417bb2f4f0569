"""Walking Python's own tree quickly: only along the fields that can hold what anybody asks about."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

_LEAVES = {
    "ctx", "op", "ops", "id", "attr", "kind", "type_comment", "conversion", "name", "module", "level", "asname", "arg",
}  # fmt: skip
"""Fields that hold no node that matters."""


class _Fields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node that may hold nodes; a constant has none, nor has what is no node.

    Only fields are followed, never attributes: other plugins of flake8 write the parent of a node on it.
    """

    def __missing__(self, kind: type) -> tuple[str, ...]:
        names: tuple[str, ...] = () if issubclass(kind, ast.Constant) else getattr(kind, "_fields", ())
        self[kind] = found = tuple(name for name in names if name not in _LEAVES)
        return found


_FIELDS = _Fields()

Walked = Sequence[list[Any]]
"""The nodes of a tree, level by level, from the module down; strings and None may be among them."""


def walked(tree: ast.Module) -> Walked:
    """The levels of a tree: what is far up comes first, and nesting costs no stack."""
    levels: list[list[Any]] = [[tree]]
    while levels[-1]:
        levels.append(below(levels[-1]))
    return levels[:-1]


def below(nodes: list[Any]) -> list[Any]:
    """What is right below some nodes; strings and None may be among it."""
    found: list[Any] = []
    for node in nodes:
        for name in _FIELDS[type(node)]:
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
