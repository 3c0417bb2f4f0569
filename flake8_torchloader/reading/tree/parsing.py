"""A file's tree of libcst, made of a few statements at a time: parsed whole, memory grows faster than the file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from flake8_torchloader.reading.tree.syntax import first_line

_LINES = 50
"""Lines that are parsed together, or more where one statement has more."""


@dataclass(frozen=True)
class Parsed:
    """A tree, and how each of its statements is indented where it does not say so itself."""

    module: cst.Module
    indents: tuple[str, ...]


def parse(text: str, tree: ast.Module) -> Parsed:
    """Parse a text whose lines end in newlines; `tree` says where its statements begin.

    Raises `ParserSyntaxError` for what libcst can't parse.
    """
    try:
        parts = [cst.parse_module(chunk) for chunk in _chunks(text, tree)]
    except cst.ParserSyntaxError:
        parts = [cst.parse_module(text)]  # after a backslash, a statement begins before its first line
    indents = tuple(part.default_indent for part in parts for _ in part.body)
    return Parsed(cst.Module(body=[statement for part in parts for statement in part.body]), indents)


def _chunks(text: str, tree: ast.Module) -> Iterator[str]:
    lines = text.split("\n")
    start = 0
    for first in _first_lines(tree):
        if first - start > _LINES:
            yield "\n".join([*lines[start:first], ""])
            start = first
    yield "\n".join(lines[start:])


def _first_lines(tree: ast.Module) -> Iterator[int]:
    """How many lines stand before each statement that begins on a line of its own."""
    end = 0
    for statement in tree.body:
        first = first_line(statement)
        if first > end:
            yield first - 1
        end = statement.end_lineno or first
