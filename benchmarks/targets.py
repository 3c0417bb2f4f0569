"""What the speed of the linter has to be, and whether it is: ratios of what was measured within one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A ratio, or a difference in MiB, that is to stay at or below `must`, and would better stay below `aim`."""

    name: str
    must: float
    aim: float
    unit: str = ""

    def shown(self, value: float) -> str:
        """A number in the unit of the target; small ratios as a part of one."""
        if self.unit:
            return f"{value:.0f} {self.unit}"
        return f"1/{1 / value:.0f}" if 0 < value < 0.05 else f"{value:.2f}"

    def verdict(self, value: float) -> str:
        """Whether a value holds."""
        return "aim" if value <= self.aim else "holds" if value <= self.must else "**missed**"


WITHOUT_LOADERS = Target("flake8 with us / without, tree without loaders", 1.02, 1.00)
HEAVY = Target("flake8 with us / without, torch-heavy projects", 1.25, 1.08)
SCRIPTS = Target("flake8 with us / without, six-line loader scripts", 2.0, 1.6)
EMPTY = Target("flake8 with us / without, an empty file", 1.10, 1.05)
TORCHFIX = Target("our share of a run / TorchFix's share, same files", 1 / 25, 1 / 80)
READER = Target("reader and all rules / `libcst.parse_module`", 1.5, 1.15)
COLD = Target("`torchloader` cold / flake8 alone", 0.35, 0.12)
WARM = Target("`torchloader` warm / cold", 0.10, 0.03)
START = Target("`torchloader` warm / importing `ast` and parsing as many arguments", 1.5, 1.25)
MEMORY = Target("peak memory above flake8's own", 40, 15, "MiB")


@dataclass(frozen=True)
class Measured:
    """A value for a target, and where it was measured."""

    target: Target
    where: str
    value: float

    @property
    def holds(self) -> bool:
        """Whether it is what it must be."""
        return self.value <= self.target.must


def rows(measured: Sequence[Measured]) -> Iterator[str]:
    """A Markdown table of all values beside their targets."""
    yield "| What | Where | Measured | Must | Aim | |"
    yield "|---|---|---:|---:|---:|---|"
    for one in measured:
        cells = (one.target.shown(number) for number in (one.value, one.target.must, one.target.aim))
        yield f"| {one.target.name} | {one.where} | {' | '.join(cells)} | {one.target.verdict(one.value)} |"
