"""What the linter says: findings, and where they stand."""

from __future__ import annotations

from typing import NamedTuple

from flake8_torchloader.start_method import StartMethod

Site = object
"""Where a record stands: an opaque token of the reader's, hashable, understood by `Module.span`."""


class Span(NamedTuple):
    """A stretch of source text: lines count from 1, columns from 0, in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


class Note(NamedTuple):
    """A related place that explains a finding, such as the loop that iterates a loader."""

    span: Span
    text: str


class Elsewhere(NamedTuple):
    """A related line of another file, by its absolute path."""

    path: str
    line: int
    text: str


class Finding(NamedTuple):
    """One hazard at one place, with the start methods under which it happens."""

    span: Span
    code: str
    message: str
    notes: tuple[Note, ...] = ()
    methods: frozenset[StartMethod] = frozenset()
    elsewhere: tuple[Elsewhere, ...] = ()
