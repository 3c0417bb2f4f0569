"""Where a node stands in the text: asked for findings only, one statement at a time."""

from __future__ import annotations

import ast

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from flake8_torchloader.finding import Span
from flake8_torchloader.module import Site
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.parsing import Parsed
from flake8_torchloader.reading.tree.scopes import Expression


class Positions:
    """Finds lines and columns by writing out the one top-level statement that holds a node.

    The line on which that statement begins comes from the `ast` that is there already: the n-th
    statement of one tree is the n-th of the other.
    """

    def __init__(self, parsed: Parsed, tree: ast.Module, names: Names) -> None:
        self.parsed = parsed
        self.names = names
        self._lines = _first_lines(parsed.module, tree)
        self._spans: dict[int, dict[cst.CSTNode, Span]] = {}

    def __call__(self, site: Site) -> Span:
        """The stretch of text that a record's expression takes up."""
        if not isinstance(site, Expression):
            return Span(1, 0, 1, 0)
        expression = site
        top = expression.spot.top
        if top not in self._spans:
            try:
                self._spans[top] = self._of_statement(top)
            except (RecursionError, KeyError):
                self._spans[top] = {}
        line = self._lines[top]
        return self._spans[top].get(expression.node, Span(line, 0, line, 0))

    def elsewhere(self, site: Site) -> tuple[str, int] | None:
        """The file and the line of a record's expression that stands in another file."""
        file = self.names.other_file(site.spot.scope) if isinstance(site, Expression) else None
        return (str(file.path), file.line(site)) if file is not None and isinstance(site, Expression) else None

    def _of_statement(self, top: int) -> dict[cst.CSTNode, Span]:
        statement = self.parsed.module.body[top]
        alone = cst.Module(body=[statement], default_indent=self.parsed.indents[top])
        wrapper = MetadataWrapper(alone, unsafe_skip_copy=True)
        ranges = wrapper.resolve(PositionProvider)
        first = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else statement
        shift = self._lines[top] - ranges[first].start.line
        return {
            node: Span(r.start.line + shift, r.start.column, r.end.line + shift, r.end.column)
            for node, r in ranges.items()
        }


def _first_lines(module: cst.Module, tree: ast.Module) -> list[int]:
    """The line on which each statement of the module begins: a `def` without its decorators."""
    lines: list[int] = []
    index = 0
    for statement in module.body:
        lines.append(tree.body[index].lineno)
        index += len(statement.body) if isinstance(statement, cst.SimpleStatementLine) else 1
    return lines
