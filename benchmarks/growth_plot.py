"""A small plot for each shape, all with the same axes: what grows in proportion runs along the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from growth import Growth

COLUMNS = 7
INK, LINE, STEEP_LINE = "#808080", "#3b82f6", "#e8590c"
"""Colours that can be seen on white and on black."""

STEEP = 1.3
"""From which exponent on a shape is shown as one that grows faster than it ought to."""

LEAST = 1 / 600
"""Where both axes begin, in parts of the largest size and of its time."""

TICKS = {0.01: "1 %", 0.1: "10 %", 1: "100 %"}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "growth",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
}
"""Text stays text, and the same measurements give the same file."""


def draw(growths: Sequence[Growth], file: Path) -> None:
    """Draw the times of all shapes that were measured, in parts of the largest, into an `.svg` or a `.png`."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    drawn = [growth for growth in growths if len(growth.times) > 1]
    rows = max(1, -(-len(drawn) // COLUMNS))
    with rc_context(STYLE):
        figure = Figure(figsize=(1.45 * COLUMNS, 1.35 * rows + 0.6), layout="constrained")
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        for number, axes in enumerate(grid.flat):
            if number >= len(drawn):
                axes.set_axis_off()
                continue
            _draw_one(drawn[number], axes)
            axes.set_xticks(*_ticks(is_shown=number + COLUMNS >= len(drawn)))
            axes.set_yticks(*_ticks(is_shown=number % COLUMNS == 0))
            axes.spines["left"].set_visible(number % COLUMNS == 0)
        figure.supxlabel("size, in parts of the largest", fontsize=9)
        figure.supylabel("time, in parts of that of the largest", fontsize=9)
        figure.savefig(file, transparent=True, metadata={"Date": None} if file.suffix == ".svg" else None)


def _ticks(*, is_shown: bool) -> tuple[list[float], list[str]]:
    """Where an axis is marked, and how: only at the borders of the whole."""
    return (list(TICKS), list(TICKS.values())) if is_shown else ([], [])


def _draw_one(growth: Growth, axes: Any) -> None:
    """One shape: its times, the diagonal, and in words its name, its exponent, and what the largest size took."""
    largest, longest = max(growth.times), growth.times[max(growth.times)]
    is_steep = growth.exponent is not None and growth.exponent > STEEP
    colour = STEEP_LINE if is_steep else LINE
    sizes = [size / largest for size in growth.times]
    axes.plot([LEAST, 1], [LEAST, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)), clip_on=False)
    axes.plot(sizes, [ms / longest for ms in growth.times.values()], color=colour, linewidth=1.5, clip_on=False)
    axes.set(xscale="log", yscale="log", xlim=(LEAST, 1.4), ylim=(LEAST, 1.4))
    axes.minorticks_off()
    axes.patch.set_visible(False)
    axes.set_title(growth.shape.name, loc="left", fontsize=8, pad=3)
    if growth.exponent is not None:
        axes.set_title(f"{growth.exponent:.2f}", loc="right", fontsize=8, pad=3, color=colour)
    axes.text(0.97, 0.05, f"{largest:,}: {_seconds(longest)}", transform=axes.transAxes, ha="right", fontsize=7)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
