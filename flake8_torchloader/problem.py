"""What could not be done, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """A path that could not be looked at, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """One line that names the thing."""
        return f"{self.path}: {self.reason}"
