"""Writing a tree out again, to learn where its nodes stand.

It tells of all nodes but the module what libcst's `PositionProvider` tells, at less than half of the cost. That
provider visits the tree before, and makes two objects and a generator for each node. libcst writes a tree into a
`CodegenState`, which is told what is written and where nodes begin and end.
"""

from __future__ import annotations

import re

import libcst as cst
from libcst._nodes.internal import CodegenState

Stretch = tuple[int, int, int, int]
"""The first line and column of a node, and the last; lines are counted from 1, columns from 0."""

_NEWLINE = re.compile(r"\r\n?|\n")


class Written(CodegenState):
    """A module that was written out; `stretches` are those of its nodes, by their `id`, without the space around them.

    Raises RecursionError for a tree that is too deep to be written.
    """

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self.line = 1
        self.column = 0
        self.stretches: dict[int, Stretch] = {}
        self._begun: list[tuple[int, int]] = []
        module._codegen(self)

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def add_token(self, value: str) -> None:
        if "\n" in value or "\r" in value:
            parts = _NEWLINE.split(value)
            self.line += len(parts) - 1
            self.column = len(parts[-1])
        else:
            self.column += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._begun.append((self.line, self.column))

    def after_codegen(self, node: cst.CSTNode) -> None:
        begun = self._begun.pop()
        if id(node) not in self.stretches:
            self.stretches[id(node)] = (*begun, self.line, self.column)

    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Recording:
        return _Recording(self, node, start_node, end_node)


class _Recording:
    """Notes where a node begins and ends without the space around it, or where two nodes in it do."""

    __slots__ = ("state", "node", "start_node", "end_node", "begun")

    def __init__(
        self, state: Written, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.state, self.node, self.start_node, self.end_node = state, node, start_node, end_node

    def __enter__(self) -> None:
        self.begun = (self.state.line, self.state.column)

    def __exit__(self, *error: object) -> None:
        known = self.state.stretches
        begun = self.begun if self.start_node is None else known[id(self.start_node)][:2]
        ended = (self.state.line, self.state.column) if self.end_node is None else known[id(self.end_node)][2:]
        known[id(self.node)] = (*begun, *ended)
