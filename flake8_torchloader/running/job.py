"""What the controller hands to the supervisor of a run, and what it gets back: two JSON files in the run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

MARKER = "TORCHLOADER_RUN"
JOB, REPORT, EVENTS, STDOUT, STDERR, STACKS = "job.json", "report.json", "events.jsonl", "stdout", "stderr", "stacks"


@dataclass(frozen=True)
class Job:
    """A command to supervise, with its folder, its whole environment, and its time in seconds."""

    command: tuple[str, ...]
    cwd: str
    environment: dict[str, str]
    seconds: float
    stack_signal: int

    def save(self, run: Path) -> None:
        """Write it into the folder of the run."""
        (run / JOB).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, run: Path) -> Job:
        """Read it from the folder of the run."""
        fields = json.loads((run / JOB).read_text(encoding="utf-8"))
        return cls(**{**fields, "command": tuple(fields["command"])})


@dataclass(frozen=True)
class Report:
    """How the command ended.

    `status` is None if it was killed when time was up (`timed_out`) or because it waited for ever (`stuck`).
    `memory` holds, for each process number, the first and the largest memory held alone (bytes), and the most threads.
    `error` says why the command could not be started.
    """

    status: int | None
    seconds: float
    timed_out: bool = False
    stuck: bool = False
    survivors: int = 0
    error: str = ""
    memory: dict[str, tuple[int, int, int]] | None = None

    def save(self, run: Path) -> None:
        """Write it into the folder of the run, all or nothing."""
        part = run / f"{REPORT}.part"
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        part.replace(run / REPORT)

    @classmethod
    def load(cls, run: Path) -> Report | None:
        """Read it from the folder of the run; None if the supervisor did not live to write it."""
        try:
            return cls(**json.loads((run / REPORT).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
