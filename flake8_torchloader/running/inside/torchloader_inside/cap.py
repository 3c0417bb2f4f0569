"""Enough is enough: after some batches of some epochs a program is ended, before it writes its checkpoints."""

from __future__ import annotations

import collections
import itertools
import os
import sys
from typing import Any

from .settings import SETTINGS
from .tell import tell

_numbers = itertools.count()
_passes: collections.Counter[str] = collections.Counter()
_loaders: set[int] = set()
_latest: int | None = None


class Pass:
    """One iteration over a loader, counted in batches."""

    __slots__ = ("number", "limit", "batches", "is_cut", "is_first_of_loader")

    def __init__(self, loader: int, workers: int) -> None:
        """Each of `workers` gets at least one batch, however low the limit is."""
        global _latest
        self.number = _latest = next(_numbers)
        self.limit = max(SETTINGS.batches, workers)
        self.batches = 0
        self.is_cut = False
        self.is_first_of_loader = loader not in _loaders
        _loaders.add(loader)


def latest() -> int | None:
    """The number of the pass that was begun last in this process."""
    return _latest


def forget() -> None:
    """A worker has passes of its own, if any at all."""
    global _latest
    _latest = None
    _passes.clear()


def stop_if_seen_enough(site: dict[str, Any] | None, asked: dict[str, Any]) -> None:
    """End the program when a line is about to iterate the loaders of a line once more than was asked for.

    A loader that no line of the user built stands for itself.
    """
    key = repr((site, asked["site"] or asked["loader"]))
    if _passes[key] >= SETTINGS.epochs:
        _leave()
    _passes[key] += 1


def stop_if_full(passed: Pass) -> None:
    """Let a loop over a loader end when it had its batches; end the program if it asks for more all the same."""
    if passed.batches < passed.limit:
        return
    if passed.is_cut:
        _leave()
    passed.is_cut = True
    tell("pass_ended", **{"pass": passed.number}, cut=True)
    raise StopIteration


def _leave() -> None:
    """Leave at once: no `finally`, no exit handler, no `except: pass` of the program gets a turn.

    The workers are ended by the controller, as everything else that is left over.
    """
    tell("capped")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a closed or replaced stream must not keep us
            continue
    os._exit(0)
