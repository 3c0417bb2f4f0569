"""What of a loader can't cross to a worker that is started afresh."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from typing import Any

from .definitions import definition
from .holders import lines_about
from .pickle_trail import Culprit, culprits
from .tell import clip, quietly, tell

_SENT = ("dataset", "collate_fn", "worker_init_fn")
_SECONDS = 10.0


@quietly
def check(loader: Any, number: int) -> None:
    """Tell of each object on the way from the loader to its workers that can't be pickled."""
    deadline = time.monotonic() + _SECONDS
    for culprit in _all_culprits(loader, deadline):
        thing = culprit.thing
        tell(
            "unpicklable",
            loader=number,
            path=culprit.path,
            unfit=_unfit(thing),
            type=type(thing).__qualname__,
            name=clip(getattr(thing, "__qualname__", ""), 200),
            definition=definition(thing),
            holders=lines_about(culprit.path),
            error=f"{type(culprit.error).__name__}: {clip(culprit.error, 500)}",
        )
    tell("crossing_checked", loader=number)


def _all_culprits(loader: Any, deadline: float) -> Iterator[Culprit]:
    for name in _SENT:
        yield from culprits(getattr(loader, name, None), name, deadline)


def _unfit(thing: Any) -> str:
    name = getattr(thing, "__qualname__", "")
    if inspect.isclass(thing):
        return "local class" if "<locals>" in name else "other"
    if not inspect.isroutine(thing) and not callable(thing):
        return "other"
    if name.endswith("<lambda>"):
        return "lambda"
    return "local function" if "<locals>" in name else "other"
