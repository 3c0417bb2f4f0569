"""What the standing proof saw, in the form that the pages of the rules show."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flake8_torchloader.output_file import write_whole
from flake8_torchloader.report.verdicts import verdict_lines
from flake8_torchloader.trial import Run
from flake8_torchloader.verdict import Verdict

Verdicts = Mapping[tuple[str, str, int], Verdict]
"""What was proved of a program: a verdict by code, file and line."""


@dataclass(frozen=True)
class Record:
    """A file into which each program is put as soon as it is proved, so that a proof may end at any time.

    Several processes may write to it. `names` are those of all programs that there are, and paths begin at `fixtures`.
    """

    file: Path
    names: Collection[str]
    fixtures: Path

    def put(self, name: str, verdicts: Verdicts, runs: Iterable[Run]) -> None:
        """Put in what was proved of a program, and take out programs that there are no more.

        A record that was made with another Python, torch or machine is begun anew. A program that never imports torch
        does not tell with which: it is put into the record that is there.
        """
        with _alone_in(self.file.parent):
            before = json.loads(self.file.read_text(encoding="ascii")) if self.file.exists() else {}
            programs = before.pop("programs", {})
            conditions = next((_conditions(run) for run in runs if run.versions.torch), before)
            kept = programs if conditions == before else {}
            known = {**kept, name: _verdicts(verdicts, self.fixtures)}
            left = {name: known[name] for name in sorted(known) if name in self.names}
            write_whole(self.file, json.dumps({**conditions, "programs": left}, indent=1) + "\n")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep others that ask for the same folder waiting; who dies in it lets them in."""
    import fcntl

    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _conditions(run: Run) -> dict[str, object]:
    return {
        "python": run.versions.python,
        "torch": run.versions.torch,
        "cpus": run.cpus,
        "cuda_devices": run.versions.cuda_devices,
    }


def _verdicts(verdicts: Verdicts, fixtures: Path) -> list[dict[str, object]]:
    home = f"{fixtures.resolve()}/"
    return [
        {
            "code": code,
            "line": line,
            "outcome": verdict.outcome.value,
            "evidence": [text.strip().replace(home, "") for text in verdict_lines(verdict)[1:]],
        }
        for (code, _, line), verdict in sorted(verdicts.items())
    ]
