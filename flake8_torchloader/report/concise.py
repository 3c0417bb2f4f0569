"""A line for each finding, as flake8 writes it, with its verdict and the evidence below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_torchloader.report.words import finding_line

if TYPE_CHECKING:
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
        if verdict is not None:
            from flake8_torchloader.report.verdicts import verdict_lines

            lines += verdict_lines(verdict)
    if results.verifications:
        from flake8_torchloader.report.verdicts import obstacle_lines

        lines += [line for one in results.verifications for line in obstacle_lines(one)]
    return "".join(f"{line}\n" for line in lines)


def closing(results: Results) -> str:
    """How many findings ended in which outcome, if any were verified."""
    if not results.verifications:
        return ""
    from flake8_torchloader.report.verdicts import summary

    return f"{summary(results.verifications)}\n"
