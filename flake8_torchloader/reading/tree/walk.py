"""One iterative walk over the parts of a tree that carry meaning: no recursion, no white space."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeAlias

import libcst as cst

Step: TypeAlias = "cst.CSTNode | Callable[[], None]"
"""What is still to be done: visit a node, or take an action between two nodes."""

_SILENT = {
    "annotation", "asynchronous", "asname", "comma", "dot", "encoding", "equal", "footer", "header",
    "indent", "keyword", "newline", "operator", "posonly_ind", "returns", "semicolon", "type_parameters",
}  # fmt: skip
_TRIVIA = ("whitespace", "leading", "lines_after", "lpar", "rpar", "lbrac", "rbrac", "colon", "default_")


class _NodeKinds(dict[type, bool]):
    """Whether the objects of a class are nodes: libcst's are abstract, and `isinstance` is slow to deny these."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = found = issubclass(kind, cst.CSTNode)
        return found


_IS_NODE = _NodeKinds()


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = (field.name for field in dataclasses.fields(kind))
    return tuple(name for name in names if name not in _SILENT and not name.startswith(_TRIVIA))


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The child nodes that carry meaning, in the order of the text."""
    found: list[cst.CSTNode] = []
    for name in _fields(type(node)):
        value = getattr(node, name)
        kind = type(value)
        if _IS_NODE[kind]:
            found.append(value)
        elif kind is list or kind is tuple:
            found += value
    return found


def walk(root: cst.CSTNode, visitor: object) -> None:
    """Visit a tree with a visitor's `visit_<Node>` methods.

    A method may return the steps to take instead of the node's children: nodes, and actions such
    as entering and leaving a scope.
    """
    visits: dict[type, Callable[[Any], Sequence[Step] | None]] = {}
    stack: list[Step] = [root]
    while stack:
        step = stack.pop()
        kind = type(step)
        if kind not in visits:
            visits[kind] = getattr(visitor, f"visit_{kind.__name__}", children) if _IS_NODE[kind] else _act
        steps = visits[kind](step)
        if steps is None:
            steps = children(step)  # type: ignore[arg-type]  # an action has given steps
        stack += reversed(steps)


def _act(action: Callable[[], None]) -> Sequence[Step]:
    action()
    return ()


def below(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """A node and everything below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))
