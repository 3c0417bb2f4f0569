"""What a user can choose: the start methods to think of, when an array is large, how far imports are followed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from flake8_torchloader.start_method import ALL_METHODS, StartMethod

T = TypeVar("T")

MEBIBYTE = 1024 * 1024
_UNITS = {
    "": 1, "b": 1,
    "kb": 1000, "mb": 1000**2, "gb": 1000**3,
    "k": 1024, "m": MEBIBYTE, "g": 1024 * MEBIBYTE,
    "kib": 1024, "mib": MEBIBYTE, "gib": 1024 * MEBIBYTE,
}  # fmt: skip


class Settings(NamedTuple):
    """The choices that change what is reported; `large_array` is in bytes.

    `follow_depth` is how many imports away from a file others are looked into, and `follow_files` how many of them.
    """

    start_methods: frozenset[StartMethod] = ALL_METHODS
    large_array: int = 64 * MEBIBYTE
    follow_depth: int = 6
    follow_files: int = 100


def parse_size(text: str) -> int:
    """Read a number of bytes, with a unit if wished (`64MiB`, `1.5 GB`, `4096`); raise ValueError."""
    match = re.fullmatch(r"\s*(\d{1,18}(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"not a size: {text!r} (write a number of bytes, or a unit as in 64MiB)")
    return int(float(match[1]) * unit)


def parse_count(text: str) -> int:
    """Read a whole number from 0 on; raise ValueError."""
    if not (text.strip().isascii() and text.strip().isdigit() and len(text) < 10):
        raise ValueError(f"not a number from 0 on: {text!r}")
    return int(text)


def spell_size(size: int) -> str:
    """Write a number of bytes the way a person says it: `94 MiB`, `1.2 GiB`."""
    if size < MEBIBYTE:
        return f"{size / 1024:.0f} KiB"
    if size < 1024 * MEBIBYTE:
        return f"{size / MEBIBYTE:.0f} MiB"
    return f"{size / MEBIBYTE / 1024:.1f} GiB"


def option_type(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a parser that raises ValueError into one whose own words reach the usage error."""

    def convert(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert
