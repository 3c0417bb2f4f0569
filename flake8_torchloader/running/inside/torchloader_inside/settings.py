"""What the controller asked for, read once from the folder of the run."""

from __future__ import annotations

import json
import os
from typing import NamedTuple


class Settings(NamedTuple):
    """The trial that runs, its limits, and where things lie; times are seconds of the monotonic clock."""

    run: str
    events: str
    temporary: str
    stacks: str
    trial: str
    script: str
    cwd: str
    begun: float
    batches: int
    epochs: int
    allow_network: bool
    allow_write: bool
    stack_signal: int

    @property
    def start_method(self) -> str:
        """The start method to make the default, or "" where the interpreter's own stays."""
        return self.trial if self.trial in ("fork", "forkserver", "spawn") else ""

    @property
    def forces_no_workers(self) -> bool:
        """Whether loaders are to load in the process that iterates them."""
        return not self.start_method


def _read() -> Settings:
    run = os.environ["TORCHLOADER_RUN"]
    with open(os.path.join(run, "settings.json"), encoding="utf-8") as file:
        return Settings(**json.load(file))


SETTINGS = _read()
