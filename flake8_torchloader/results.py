"""What came of one run of the tool, as all reports are given it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_torchloader.linted import Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.record import Record
from flake8_torchloader.settings import Settings

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.verdict import Verdict
    from flake8_torchloader.verifying import Proof, Verification


class Results(Record):
    """All files that were linted, what could not be done, and what running proved.

    `verifications` is None if nothing was to be verified; `pages` is the address of the site with the rules' pages;
    `known` counts what was found besides and is known to a baseline.
    """

    files: tuple[Linted, ...]
    problems: tuple[Problem, ...] = ()
    verifications: tuple[Verification, ...] | None = None
    settings: Settings = Settings()
    pages: str = ""
    known: int = 0

    def __iter__(self) -> Iterator[tuple[Linted, Finding]]:
        """Every finding with its file, in the order of the files."""
        return ((file, finding) for file in self.files for finding in file.findings)

    def page(self, code: str) -> str | None:
        """The address of a rule's page, None if nobody said where the site is."""
        return f"{self.pages.rstrip('/')}/rules/{code}/" if self.pages else None

    def verdict(self, file: Linted, finding: Finding) -> Verdict | None:
        """What running proved about a finding, None if nothing was run for it."""
        proof = self._proofs.get((file.path, finding))
        return proof.verdict if proof is not None else None

    @cached_property
    def _proofs(self) -> Mapping[tuple[Path, Finding], Proof]:
        proofs = (proof for one in self.verifications or () for proof in one.proofs)
        return {(proof.path, proof.finding): proof for proof in proofs}
