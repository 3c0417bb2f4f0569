"""Colours, which only terminals get."""

from __future__ import annotations

from collections.abc import Callable

Paint = Callable[[str, str], str]
"""Gives a text in a style, such as `bold red`."""


def plain(text: str, style: str) -> str:
    """The text as it is."""
    return text


def painter(colours: str) -> Paint:
    """Paints for a terminal; `colours` is what rich calls its system of colours."""
    from rich.color import ColorSystem
    from rich.style import Style

    system = ColorSystem[colours.upper()]
    return lambda text, style: Style.parse(style).render(text, color_system=system)
