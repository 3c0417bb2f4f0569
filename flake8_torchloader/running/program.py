"""What is to be run, and how far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Script:
    """A file that is run as `python path arguments...`."""

    path: Path
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A callable `package.module:factory` that returns loaders, or datasets that get loaders with this many workers."""

    name: str
    workers: int = 2


@dataclass(frozen=True)
class Program:
    """A script or an entry, the interpreter that runs it, and the folder that it runs in."""

    start: Script | Entry
    python: Path
    cwd: Path


@dataclass(frozen=True)
class Limits:
    """How long and how much of a program is run, and what it may do.

    `seconds` is for one trial. A loop over a loader ends after `batches` (or one batch for each worker, if that is
    more), and the program ends when a line is about to iterate a loader for more than `epochs` times.
    """

    seconds: float = 60.0
    batches: int = 8
    epochs: int = 2
    allow_network: bool = False
    allow_write: bool = False
