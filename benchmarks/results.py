"""What the contestants used on one tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from trees import Tree
from usage import Usage


@dataclass
class Results:
    """What each contestant used on one tree, run by run; `floors` are what `floor.py` printed."""

    tree: Tree
    used: dict[str, list[Usage]] = field(default_factory=dict)
    floors: list[dict[str, float]] = field(default_factory=list)

    def add(self, name: str, used: Usage) -> None:
        """Note one run of a contestant."""
        self.used.setdefault(name, []).append(used)

    def seconds(self, name: str) -> float:
        """The median of the CPU seconds of a contestant."""
        return median(use.seconds for use in self.used[name])

    def mebibytes(self, name: str) -> float:
        """The median of its peak memory."""
        return median(use.mebibytes for use in self.used[name])

    def ratio(self, name: str, other: str) -> float:
        """The median of the ratios of runs that stood side by side."""
        return median(one.seconds / two.seconds for one, two in zip(self.used[name], self.used[other]))

    def floor(self, name: str) -> float:
        """The median of what the floor took, or counted."""
        return median(floor[name] for floor in self.floors)
