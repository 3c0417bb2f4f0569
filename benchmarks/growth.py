"""How the time of the linter grows with what a file holds: a table, the exponent of each shape, and a plot.

Programs of one shape and of growing size are made and linted by all rules. An exponent of 1 is a straight line; at 2,
twice the size takes four times as long.

    python benchmarks/growth.py
    python benchmarks/growth.py --shape loaders --shape lines
    python benchmarks/growth.py --plot docs/growth.svg
"""

from __future__ import annotations

import argparse
import gc
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression

from shapes import BEGINNING, ENDING, SHAPES, Shape

from flake8_torchloader.linting import lint
from flake8_torchloader.rules import all_rules

REPEATS = 3
"""How often each program is linted, of which the quickest counts."""

LARGEST = 3
"""The exponent is that of so many of the largest sizes: a fixed cost hides it in smaller ones."""

LEAST = 20.0
"""Milliseconds below which a time says nothing about growth."""


@dataclass
class Growth:
    """The milliseconds by size, and why a size was not read, or not tried."""

    shape: Shape
    times: dict[int, float] = field(default_factory=dict)
    refused: str = ""

    @property
    def exponent(self) -> float | None:
        """The slope of time over size where both axes are logarithmic; None if the times are too few or too short."""
        points = [(math.log(size), math.log(ms)) for size, ms in self.times.items() if ms >= LEAST][-LARGEST:]
        return linear_regression(*zip(*points)).slope if len(points) == LARGEST else None


def milliseconds(text: str) -> tuple[float, str]:
    """The processor time of linting a program, and why it was not read; empty if it was."""
    codes = frozenset(rule.code for rule in all_rules())
    gc.collect()  # what the program before has left
    began = time.process_time()
    found = lint(text, "", rules=codes)
    taken = (time.process_time() - began) * 1000
    return taken, next((finding.message for finding in found if finding.code == "TLD000"), "")


def measure(shape: Shape, longest: float) -> Growth:
    """Lint one shape in all its sizes, up to the first that takes longer than so many seconds or is not read."""
    growth = Growth(shape)
    for size in shape.sizes:
        text = shape.make(size)
        taken, growth.refused = milliseconds(text)
        if growth.refused:
            return growth
        quick = taken < longest * 1000 / REPEATS
        growth.times[size] = min([taken, *(milliseconds(text)[0] for _ in range(REPEATS - 1 if quick else 0))])
        if taken > longest * 1000:
            growth.refused = f"larger ones are not tried after {longest:.0f} s"
            return growth
    return growth


def table(growths: Sequence[Growth]) -> Iterator[str]:
    """A Markdown table for each ladder of sizes."""
    for sizes in dict.fromkeys(growth.shape.sizes for growth in growths):
        yield from ["", "| Many ... | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent |"]
        yield "|---|" + "---:|" * (len(sizes) + 1)
        for growth in growths:
            if growth.shape.sizes == sizes:
                cells = [f"{growth.times[size]:,.0f} ms" if size in growth.times else "-" for size in sizes]
                exponent = "-" if growth.exponent is None else f"{growth.exponent:.2f}"
                yield f"| {growth.shape.counted} | {' | '.join(cells)} | {exponent} |"


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [shape.name for shape in SHAPES]
    parser.add_argument("--shape", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--seconds", type=float, default=30.0, help="after which no larger size is tried (default: 30)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the times (.svg, .png); needs matplotlib")
    parser.add_argument("--at-most", type=float, metavar="EXPONENT", help="exit with 1 if an exponent is above")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status is 1 if anything grows faster than allowed."""
    arguments = parse_arguments(argv)
    milliseconds(BEGINNING + ENDING)
    growths: list[Growth] = []
    for shape in SHAPES:
        if arguments.shape is None or shape.name in arguments.shape:
            growths.append(measure(shape, arguments.seconds))
            print(f"{shape.name}: {growths[-1].times} {growths[-1].refused}", flush=True)
    print("\n".join(table(growths)))
    if arguments.plot is not None:
        from growth_plot import draw

        draw(growths, arguments.plot)
    limit = arguments.at_most
    return int(limit is not None and any(one.exponent is not None and one.exponent > limit for one in growths))


if __name__ == "__main__":
    raise SystemExit(main())
