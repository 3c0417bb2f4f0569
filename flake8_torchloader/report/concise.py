"""A line for each finding, as flake8 writes it, with its verdict and the evidence below it."""

from __future__ import annotations

from flake8_torchloader.report.words import finding_line, obstacle_lines, summary, verdict_lines
from flake8_torchloader.results import Results


def document(results: Results) -> str:
    """All findings, and how many ended in which outcome."""
    return findings(results) + closing(results)


def findings(results: Results) -> str:
    """All findings."""
    lines = []
    for file, finding in results:
        lines.append(finding_line(file.path, finding, file.cells))
        verdict = results.verdict(file, finding)
        lines += verdict_lines(verdict) if verdict is not None else []
    lines += [line for one in results.verifications or () for line in obstacle_lines(one)]
    return "".join(f"{line}\n" for line in lines)


def closing(results: Results) -> str:
    """How many findings ended in which outcome, if any were verified."""
    return f"{summary(results.verifications)}\n" if results.verifications else ""
