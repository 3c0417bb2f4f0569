"""What the standing proof saw, in the form that the pages of the rules show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from flake8_torchloader.report.verdicts import verdict_lines
from flake8_torchloader.trial import Run
from flake8_torchloader.verdict import Verdict

Verdicts = Mapping[tuple[str, str, int], Verdict]
"""What was proved of a program: a verdict by code, file and line."""


def document(programs: Mapping[str, Verdicts], run: Run, fixtures: Path) -> str:
    """The record of programs as JSON; `run` is one of those that it rests on, and paths begin at `fixtures`."""
    whole = {
        "python": run.versions.python,
        "torch": run.versions.torch,
        "cpus": run.cpus,
        "cuda_devices": run.versions.cuda_devices,
        "programs": {name: _verdicts(verdicts, fixtures) for name, verdicts in sorted(programs.items())},
    }
    return json.dumps(whole, indent=1) + "\n"


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
