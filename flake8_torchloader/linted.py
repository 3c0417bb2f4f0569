"""A file that was linted: what is said of it, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flake8_torchloader.disk import Fact
from flake8_torchloader.location import Cell, Place, place_of
from flake8_torchloader.problem import Problem

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.noqa import Unused


class Linted(NamedTuple):
    """A file and what was found in it, by the path that the user gave.

    `lines` are those that findings and their notes speak of, by number; `cells` are those of a notebook, whose lines
    are numbered as in one program (`place` tells where they stand). `unused` are comments that silence nothing.
    """

    path: Path
    findings: tuple[Finding, ...]
    lines: Mapping[int, str] = {}
    cells: tuple[Cell, ...] = ()
    unused: tuple[Unused, ...] = ()

    def place(self, line: int) -> Place:
        """Where a line stands, as the author of the file counts."""
        return place_of(line, self.cells)


class Learned(NamedTuple):
    """What is said of a file, the digest of the content that it is said of, and what the file system was asked.

    As long as these are the same, so is what is said.
    """

    said: Linted | Problem
    content: str = ""
    facts: tuple[Fact, ...] = ()
