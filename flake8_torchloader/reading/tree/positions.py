"""Where a node stands in the text: asked for findings only, one statement at a time."""

from __future__ import annotations

import ast

import libcst as cst

from flake8_torchloader.finding import Span
from flake8_torchloader.module import Site
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.parsing import Parsed
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.reading.tree.writing import Stretch, Written


class Positions:
    """Finds lines and columns by writing out the one top-level statement that holds a node.

    The line on which that statement begins comes from the `ast` that is there already: the n-th
    statement of one tree is the n-th of the other.
    """

    def __init__(self, parsed: Parsed, tree: ast.Module, names: Names) -> None:
        self.parsed = parsed
        self.names = names
        self._lines = _first_lines(parsed.module, tree)
        self._stretches: dict[int, dict[int, Stretch]] = {}

    def __call__(self, site: Site) -> Span:
        """The stretch of text that a record's expression takes up."""
        if not isinstance(site, Expression):
            return Span(1, 0, 1, 0)
        top = site.spot.top
        if top not in self._stretches:
            try:
                self._stretches[top] = self._of_statement(top)
            except (RecursionError, KeyError):
                self._stretches[top] = {}
        line = self._lines[top]
        found = self._stretches[top].get(id(site.node))
        if found is None:
            return Span(line, 0, line, 0)
        first_line, column, last_line, last_column = found
        shift = line - self._shown_first(top)[0]
        return Span(first_line + shift, column, last_line + shift, last_column)

    def elsewhere(self, site: Site) -> tuple[str, int] | None:
        """The file and the line of a record's expression that stands in another file."""
        file = self.names.other_file(site.spot.scope) if isinstance(site, Expression) else None
        return (str(file.path), file.line(site)) if file is not None and isinstance(site, Expression) else None

    def _shown_first(self, top: int) -> Stretch:
        """The statement as it is written out alone, in which blank lines and comments may come before it."""
        statement = self.parsed.module.body[top]
        first = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else statement
        return self._stretches[top][id(first)]

    def _of_statement(self, top: int) -> dict[int, Stretch]:
        alone = cst.Module(body=[self.parsed.module.body[top]], default_indent=self.parsed.indents[top])
        return Written(alone).stretches


def _first_lines(module: cst.Module, tree: ast.Module) -> list[int]:
    """The line on which each statement of the module begins: a `def` without its decorators."""
    lines: list[int] = []
    index = 0
    for statement in module.body:
        lines.append(tree.body[index].lineno)
        index += len(statement.body) if isinstance(statement, cst.SimpleStatementLine) else 1
    return lines
