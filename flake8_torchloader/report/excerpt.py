"""The lines of source text that a finding speaks of, each with its stretch underlined."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from flake8_torchloader.finding import Finding, Span
from flake8_torchloader.linted import Linted
from flake8_torchloader.report.paint import Paint

_WIDEST = 120
_BEFORE = 40
"""Characters that are shown of a line that is too long, and how many of them before the stretch."""


class Mark(NamedTuple):
    """A stretch that is underlined, what with, and the words beside it."""

    span: Span
    sign: str
    style: str
    words: str


def excerpt(file: Linted, finding: Finding, paint: Paint) -> list[str]:
    """The line of the finding and those of its notes, in the order of the text; nothing if they are not known."""
    marks = [Mark(finding.span, "^", "bold red", ""), *(Mark(n.span, "-", "blue", n.text) for n in finding.notes)]
    shown = sorted((mark for mark in marks if mark.span.line in file.lines), key=lambda mark: mark.span)
    width = max((len(str(file.place(mark.span.line).line)) for mark in shown), default=0)
    lines = list(_lines(file, shown, width, paint))
    edge = paint(f"{'':{width}} |", "blue")
    return [edge, *lines, edge] if lines else []


def _lines(file: Linted, marks: list[Mark], width: int, paint: Paint) -> Iterator[str]:
    before = 0
    cell = file.place(marks[0].span.line).cell if marks else None
    edge = paint(f"{'':{width}} |", "blue")
    for mark in marks:
        number, place = mark.span.line, file.place(mark.span.line)
        if before and number > before + 1 or place.cell != cell:
            yield paint("..." if place.cell == cell else f"... cell {place.cell}", "blue")
        source, start, end = _window(file.lines[number], mark.span)
        if number != before:
            yield f"{paint(f'{place.line:{width}} |', 'blue')} {source}".rstrip()
        words = f"{mark.sign * max(1, end - start)} {mark.words}".rstrip()
        yield f"{edge} {' ' * start}{paint(words, mark.style)}"
        before, cell = number, place.cell


def _window(line: str, span: Span) -> tuple[str, int, int]:
    """What is shown of a line, and between which columns of a terminal the stretch stands in it."""
    last = span.end_column if span.end_line == span.line else len(line)
    first, cut = 0, len(line)
    if len(line) > _WIDEST:
        first = max(0, min(span.column - _BEFORE, len(line) - _WIDEST))
        cut = first + _WIDEST
    before = f"{'…' if first else ''}{_shown(line[first : span.column])}"
    within = _shown(line[span.column : min(last, cut)])
    after = f"{_shown(line[max(min(last, cut), span.column) : cut])}{'…' if cut < len(line) else ''}"
    return f"{before}{within}{after}", _columns(before), _columns(before + within)


def _shown(text: str) -> str:
    """The text as a terminal can show it: nothing in it moves the cursor."""
    return "".join(char if char.isprintable() else " " * 4 if char == "\t" else "\ufffd" for char in text)


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
