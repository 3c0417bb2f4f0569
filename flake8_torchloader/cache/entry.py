"""What is kept of one file, and its form in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flake8_torchloader.disk import Fact
from flake8_torchloader.linted import Linted
from flake8_torchloader.location import Cell

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.noqa import Unused


class Entry(NamedTuple):
    """The digest of a file's content, what else the findings rest on, and these, as JSON has them."""

    content: str
    facts: tuple[Fact, ...]
    said: list[Any]

    def linted(self, path: Path) -> Linted:
        """What is said of the file, by the path that the user gives now."""
        if not self.said:
            return Linted(path, ())
        findings, lines, cells, unused = self.said
        return Linted(
            path,
            tuple(map(_finding, findings)),
            {number: line for number, line in lines},
            tuple(Cell(*cell) for cell in cells),
            tuple(map(_unused, unused)),
        )


def spelled(linted: Linted) -> list[Any]:
    """What is said of a file, as JSON has it; empty if that is nothing."""
    if not (linted.findings or linted.cells or linted.unused):
        return []
    findings = [
        [
            *one.span, one.code, one.message,
            [[*note.span, note.text] for note in one.notes],
            sorted(one.methods),
            [[*there] for there in one.elsewhere],
        ]
        for one in linted.findings
    ]  # fmt: skip
    unused = [[*one.span, one.code] for one in linted.unused]
    return [findings, [*linted.lines.items()], [[one.number, one.first_line] for one in linted.cells], unused]


def _finding(spelled: list[Any]) -> Finding:
    from flake8_torchloader.finding import Elsewhere, Finding, Note, Span
    from flake8_torchloader.start_method import StartMethod

    *span, code, message, notes, methods, elsewhere = spelled
    return Finding(
        Span(*span),
        code,
        message,
        tuple(Note(Span(*place), text) for *place, text in notes),
        frozenset(map(StartMethod, methods)),
        tuple(Elsewhere(*there) for there in elsewhere),
    )


def _unused(spelled: list[Any]) -> Unused:
    from flake8_torchloader.finding import Span
    from flake8_torchloader.noqa import Unused

    *place, code = spelled
    return Unused(Span(*place), code)
