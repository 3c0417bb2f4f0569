"""One iterative walk over the parts of a tree that carry meaning: no recursion, no white space."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import libcst as cst

Step: TypeAlias = "cst.CSTNode | Callable[[], None]"
"""What is still to be done: visit a node, or take an action between two nodes."""

_SILENT = {
    "annotation", "asynchronous", "asname", "comma", "dot", "encoding", "equal", "footer", "header",
    "indent", "keyword", "newline", "operator", "posonly_ind", "returns", "semicolon", "type_parameters",
}  # fmt: skip
_LEAVES = {cst.Name, cst.Integer, cst.Float, cst.SimpleString}
_TRIVIA = ("whitespace", "leading", "lines_after", "lpar", "rpar", "lbrac", "rbrac", "colon", "default_")


class _NodeKinds(dict[type, bool]):
    """Whether the objects of a class are nodes: libcst's are abstract, and `isinstance` is slow to deny these."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = found = issubclass(kind, cst.CSTNode)
        return found


_IS_NODE = _NodeKinds()


class _Fields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node that carry meaning."""

    def __missing__(self, kind: type[cst.CSTNode]) -> tuple[str, ...]:
        names = (field.name for field in dataclasses.fields(kind))
        self[kind] = found = tuple(n for n in names if n not in _SILENT and not n.startswith(_TRIVIA))
        return found


_FIELDS = _Fields()


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The child nodes that carry meaning, in the order of the text."""
    found: list[cst.CSTNode] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name)
        kind = type(value)
        if _IS_NODE[kind]:
            found.append(value)
        elif kind is list or kind is tuple:
            found += value
    return found


def inner(nodes: Iterable[cst.CSTNode]) -> list[cst.CSTNode]:
    """Those of some nodes that have any below them."""
    return [node for node in nodes if type(node) not in _LEAVES]


def walk(root: cst.CSTNode, visitor: object) -> None:
    """Visit a tree with a visitor's `visit_<Node>` methods, but not names, numbers and strings.

    A method may return the steps to take instead of the node's children: nodes, and actions such
    as entering and leaving a scope.
    """
    visits = _VISITS[type(visitor)]
    stack: list[Step] = [root]
    while stack:
        step = stack.pop()
        kind = type(step)
        steps = visits[kind](visitor, step)
        if steps is None:
            steps = inner(children(step))  # type: ignore[arg-type]  # an action has given steps
        if steps:
            stack += reversed(steps)


class _Visits(dict[type, Callable[[Any, Any], Sequence[Step] | None]]):
    """How a kind of visitor visits each kind of node, and takes an action."""

    def __init__(self, visitor: type) -> None:
        self.visitor = visitor

    def __missing__(self, kind: type) -> Callable[[Any, Any], Sequence[Step] | None]:
        visit = getattr(self.visitor, f"visit_{kind.__name__}", _pass_by) if _IS_NODE[kind] else _act
        self[kind] = visit = _leave_out if kind in _LEAVES else visit
        return visit


class _ByVisitor(dict[type, _Visits]):
    """How each kind of visitor visits."""

    def __missing__(self, visitor: type) -> _Visits:
        self[visitor] = visits = _Visits(visitor)
        return visits


_VISITS = _ByVisitor()


def _pass_by(visitor: object, node: cst.CSTNode) -> Sequence[Step]:
    return inner(children(node))


def _leave_out(visitor: object, node: cst.CSTNode) -> Sequence[Step]:
    return ()


def _act(visitor: object, action: Callable[[], None]) -> Sequence[Step]:
    action()
    return ()


def below(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """A node and everything below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))
