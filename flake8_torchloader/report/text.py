"""What a person reads: each finding with the lines that it speaks of, its verdict and the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_torchloader.report.paint import Paint, plain
from flake8_torchloader.report.words import elsewhere_lines, position

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.linted import Linted
    from flake8_torchloader.results import Results
    from flake8_torchloader.verdict import Verdict

_STYLES = {"CONFIRMED": "bold red", "REFUTED": "green", "UNKNOWN": "yellow"}


def document(results: Results) -> str:
    """All findings, and how many there are."""
    return findings(results) + closing(results)


def findings(results: Results, paint: Paint = plain) -> str:
    """All findings, with an empty line after each."""
    blocks = ["\n".join(_block(results, file, finding, paint)) for file, finding in results]
    if obstacles := _obstacles(results):
        blocks.append("\n".join(obstacles))
    return "".join(f"{block}\n\n" for block in blocks)


def _block(results: Results, file: Linted, finding: Finding, paint: Paint) -> Iterator[str]:
    from flake8_torchloader.report.excerpt import excerpt

    where = f"{paint(str(file.path), 'bold')}:{position(finding, file.cells)}"
    yield f"{where}: {paint(finding.code, 'bold red')} {finding.message}"
    yield from excerpt(file, finding, paint)
    yield from (f"    {line}" for line in elsewhere_lines(finding))
    yield from filter(None, [results.page(finding.code)])
    verdict = results.verdict(file, finding)
    if verdict is not None:
        yield from _verdict(verdict, paint)


def _verdict(verdict: Verdict, paint: Paint) -> Iterator[str]:
    from flake8_torchloader.report.verdicts import verdict_lines

    outcome, *evidence = verdict_lines(verdict)
    yield paint(outcome, _STYLES[verdict.outcome.name])
    yield from evidence


def _obstacles(results: Results) -> list[str]:
    if not results.verifications:
        return []
    from flake8_torchloader.report.verdicts import obstacle_lines

    return [line for one in results.verifications for line in obstacle_lines(one)]


def closing(results: Results) -> str:
    """How many findings there are in how many files, if any were read, and how many ended in which outcome."""
    counts = [len(file.findings) for file in results.files]
    if not counts:
        return ""
    files = _counted(len(counts), "file")
    nothing = "nothing new" if results.known else "nothing found"
    found = _counted(sum(counts), "finding") if any(counts) else nothing
    said = f"{found} in {f'{sum(map(bool, counts))} of ' if any(counts) and len(counts) > 1 else ''}{files}"
    said += f" ({results.known} known)" if results.known else ""
    if not results.verifications:
        return f"{said}\n"
    from flake8_torchloader.report.verdicts import summary

    return f"{said}\n{summary(results.verifications)}\n"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
