"""A line for each finding, as flake8 writes it, with its verdict and the evidence below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_torchloader.report.proved import proved
from flake8_torchloader.report.words import finding_line

if TYPE_CHECKING:
    from flake8_torchloader.results import Results


def document(results: Results) -> str:
    """All findings, and how many ended in which outcome."""
    return findings(results) + closing(results)


def findings(results: Results) -> str:
    """All findings."""
    shown = proved(results)
    lines = []
    for file, finding in results:
        lines.append(finding_line(file.path, finding, file.cells))
        lines += shown.verdicts.get((file.path, finding), ())
    return "".join(f"{line}\n" for line in (*lines, *shown.obstacles))


def closing(results: Results) -> str:
    """How many findings ended in which outcome, if any were verified."""
    return "".join(f"{line}\n" for line in proved(results).summary)
