"""One iterative walk over the parts of a tree that carry meaning: no recursion, no white space."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeAlias

import libcst as cst

Step: TypeAlias = "cst.CSTNode | Callable[[], None]"
"""What is still to be done: visit a node, or take an action between two nodes."""

_SILENT = {
    "annotation", "asynchronous", "asname", "comma", "dot", "encoding", "equal", "footer", "header",
    "indent", "keyword", "newline", "operator", "posonly_ind", "returns", "semicolon", "type_parameters",
}  # fmt: skip
_TRIVIA = ("whitespace", "leading", "lines_after", "lpar", "rpar", "lbrac", "rbrac", "colon", "default_")


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = (field.name for field in dataclasses.fields(kind))
    return tuple(name for name in names if name not in _SILENT and not name.startswith(_TRIVIA))


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The child nodes that carry meaning, in the order of the text."""
    found: list[cst.CSTNode] = []
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(value)
    return found


def walk(root: cst.CSTNode, visitor: object) -> None:
    """Visit a tree with a visitor's `visit_<Node>` methods.

    A method may return the steps to take instead of the node's children: nodes, and actions such
    as entering and leaving a scope.
    """
    methods: dict[type, Callable[[cst.CSTNode], Sequence[Step] | None] | None] = {}
    stack: list[Step] = [root]
    while stack:
        step = stack.pop()
        if not isinstance(step, cst.CSTNode):
            step()
            continue
        kind = type(step)
        if kind not in methods:
            methods[kind] = getattr(visitor, f"visit_{kind.__name__}", None)
        visit = methods[kind]
        steps = visit(step) if visit else None
        stack.extend(reversed(children(step) if steps is None else steps))


def below(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """A node and everything below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))
