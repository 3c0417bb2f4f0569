"""What a person reads: each finding with the lines that it speaks of, its verdict and the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flake8_torchloader.report.paint import Paint, plain
from flake8_torchloader.report.proved import proved
from flake8_torchloader.report.words import elsewhere_lines, position

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.linted import Linted
    from flake8_torchloader.results import Results

_STYLES = {"CONFIRMED": "bold red", "REFUTED": "green", "UNKNOWN": "yellow"}


def document(results: Results) -> str:
    """All findings, and how many there are."""
    return findings(results) + closing(results)


def findings(results: Results, paint: Paint = plain) -> str:
    """All findings, with an empty line after each."""
    shown = proved(results)
    blocks = [
        "\n".join(_block(results, file, finding, shown.verdicts.get((file.path, finding), ()), paint))
        for file, finding in results
    ]
    if shown.obstacles:
        blocks.append("\n".join(shown.obstacles))
    return "".join(f"{block}\n\n" for block in blocks)


def _block(results: Results, file: Linted, finding: Finding, verdict: Sequence[str], paint: Paint) -> Iterator[str]:
    from flake8_torchloader.report.excerpt import excerpt

    where = f"{paint(str(file.path), 'bold')}:{position(finding, file.cells)}"
    yield f"{where}: {paint(finding.code, 'bold red')} {finding.message}"
    yield from excerpt(file, finding, paint)
    yield from (f"    {line}" for line in elsewhere_lines(finding))
    yield from filter(None, [results.page(finding.code)])
    for outcome in verdict[:1]:
        yield paint(outcome, next(style for name, style in _STYLES.items() if outcome.lstrip().startswith(name)))
    yield from verdict[1:]


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
    return "".join(f"{line}\n" for line in (said, *proved(results).summary))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
