"""What could not be done, for a person to read."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Problem(NamedTuple):
    """A path that could not be looked at, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """One line that names the thing."""
        return f"{self.path}: {self.reason}"
