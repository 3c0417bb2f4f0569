"""What running proved, in words for people; where nothing was run, nothing that speaks of runs is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.results import Results


class Proved(NamedTuple):
    """The lines that stand below a finding, those that stand below all findings, and the last one."""

    verdicts: Mapping[tuple[Path, Finding], Sequence[str]] = {}
    obstacles: Sequence[str] = ()
    summary: Sequence[str] = ()


def proved(results: Results) -> Proved:
    """The words for what running proved; none if nothing was run."""
    if not results.verifications:
        return Proved()
    from flake8_torchloader.report.verdicts import obstacle_lines, summary, verdict_lines

    proofs = [proof for one in results.verifications for proof in one.proofs]
    return Proved(
        {(proof.path, proof.finding): verdict_lines(proof.verdict) for proof in proofs},
        [line for one in results.verifications for line in obstacle_lines(one)],
        [summary(results.verifications)],
    )
