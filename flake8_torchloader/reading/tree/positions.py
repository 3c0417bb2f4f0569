"""Where a node stands in the text: asked for findings only, one statement at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import libcst as cst

from flake8_torchloader.finding import Span
from flake8_torchloader.module import Site
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.parsing import Parsed
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.reading.tree.syntax import first_line
from flake8_torchloader.reading.tree.writing import Stretch, Written

_ANY = cst.Module(body=[])


class Positions:
    """Finds lines and columns in the one top-level statement that holds a node.

    An expression whose code stands there only once is where that code is. For others the statement is written out, and
    its line comes from the `ast` that is there already: the n-th statement of one tree is the n-th of the other.
    """

    def __init__(self, text: str, parsed: Parsed, tree: ast.Module, names: Names) -> None:
        self.text = text
        self.parsed = parsed
        self.tree = tree
        self.names = names
        self._stretches: dict[int, dict[int, Stretch]] = {}

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _places(self) -> list[_Place]:
        return list(_places(self.parsed.module, self.tree))

    def __call__(self, site: Site) -> Span:
        """The stretch of text that a record's expression takes up."""
        if not isinstance(site, Expression):
            return Span(1, 0, 1, 0)
        top = site.spot.top
        if top not in self._stretches:
            found = self._only(site.node, top)
            if found is not None:
                return found
            try:
                self._stretches[top] = self._of_statement(top)
            except (RecursionError, KeyError):
                self._stretches[top] = {}
        line = self._places[top].line
        stretch = self._stretches[top].get(id(site.node))
        if stretch is None:
            return Span(line, 0, line, 0)
        first_line, column, last_line, last_column = stretch
        shift = line - self._shown_first(top)[0]
        return Span(first_line + shift, column, last_line + shift, last_column)

    def elsewhere(self, site: Site) -> tuple[str, int] | None:
        """The file and the line of a record's expression that stands in another file."""
        file = self.names.other_file(site.spot.scope) if isinstance(site, Expression) else None
        return (str(file.path), file.line(site)) if file is not None and isinstance(site, Expression) else None

    def _only(self, node: cst.CSTNode, top: int) -> Span | None:
        """Where an expression stands whose code is found only once; parentheses around it are none of it."""
        if not isinstance(node, cst.BaseExpression) or node.lpar:
            return None
        try:
            code = node.value if isinstance(node, cst.Name) else _ANY.code_for_node(node)
        except RecursionError:
            return None
        place = self._places[top]
        text = "\n".join(self._lines[place.first - 1 : place.last])
        begin = text.find(code)
        if begin < 0 or text.find(code, begin + 1) >= 0:
            return None
        end = begin + len(code)
        return Span(*_position(text, begin, place.first), *_position(text, end, place.first))

    def _shown_first(self, top: int) -> Stretch:
        """The statement as it is written out alone, in which blank lines and comments may come before it."""
        statement = self.parsed.module.body[top]
        first = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else statement
        return self._stretches[top][id(first)]

    def _of_statement(self, top: int) -> dict[int, Stretch]:
        alone = cst.Module(body=[self.parsed.module.body[top]], default_indent=self.parsed.indents[top])
        return Written(alone).stretches


class _Place(NamedTuple):
    """The lines of a statement, the first with its decorators, and `line` without."""

    line: int
    first: int
    last: int


def _places(module: cst.Module, tree: ast.Module) -> Iterator[_Place]:
    index = 0
    for statement in module.body:
        begun = tree.body[index]
        index += len(statement.body) if isinstance(statement, cst.SimpleStatementLine) else 1
        yield _Place(begun.lineno, first_line(begun), tree.body[index - 1].end_lineno or begun.lineno)


def _position(text: str, index: int, first: int) -> tuple[int, int]:
    """The line and column of a character in a text that begins on a line."""
    return first + text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1
