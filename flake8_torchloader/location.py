"""Where a line of a program stands: in a file, or in a cell of a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell with code: its number among all cells, from 1, and the line of the notebook's program it begins at."""

    number: int
    first_line: int


class Place(NamedTuple):
    """A line as its author counts it: from 1, in the file, or in the cell if it is a notebook's."""

    line: int
    cell: int | None = None

    def __str__(self) -> str:
        """`12`, or `cell 3:12`."""
        return str(self.line) if self.cell is None else f"cell {self.cell}:{self.line}"


def place_of(line: int, cells: Sequence[Cell]) -> Place:
    """Where a line of the program stands; files that are no notebooks have no cells."""
    begun = [cell for cell in cells if cell.first_line <= line]
    return Place(line - begun[-1].first_line + 1, begun[-1].number) if begun else Place(line)
