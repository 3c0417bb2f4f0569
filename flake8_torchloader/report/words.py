"""The words that the reports share about findings: where they stand, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_torchloader.location import Cell, place_of

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.noqa import Unused
    from flake8_torchloader.results import Results


def finding_line(path: Path, finding: Finding, cells: Sequence[Cell] = ()) -> str:
    """`path:line:column: CODE message`, columns counted from 1; in a notebook `path:cell 3:line:column: ...`."""
    return f"{path}:{position(finding, cells)}: {finding.code} {finding.message}"


def position(finding: Finding, cells: Sequence[Cell] = ()) -> str:
    """`line:column`, columns counted from 1; in a notebook `cell 3:line:column`."""
    return f"{place_of(finding.span.line, cells)}:{finding.span.column + 1}"


def elsewhere_lines(finding: Finding) -> list[str]:
    """What other files have to do with a finding, each as `path:line: text`."""
    return [f"{from_here(one.path)}:{one.line}: {one.text}" for one in finding.elsewhere]


def from_here(path: str) -> Path:
    """The path as a user would give it: relative if it lies below the current folder."""
    return Path(path).relative_to(Path.cwd()) if Path(path).is_relative_to(Path.cwd()) else Path(path)


def unused_line(path: Path, one: Unused, cells: Sequence[Cell] = ()) -> str:
    """Where a comment stands that silences nothing."""
    where = f"{path}:{place_of(one.span.line, cells)}:{one.span.column + 1}"
    return f"{where}: unused noqa: {one.code} silences nothing here"


def statistics(results: Results) -> str:
    """A line for each code, with how often it was found."""
    from collections import Counter

    from flake8_torchloader.rules import all_rules

    names = {rule.code: rule.name for rule in all_rules()}
    counts = Counter(finding.code for _, finding in results)
    return "".join(f"{count:<5} {code} {names[code]}\n" for code, count in sorted(counts.items()))
