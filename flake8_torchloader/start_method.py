"""The ways in which Python starts a worker process."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class StartMethod(str, Enum):
    """A start method of `multiprocessing`, by the name that Python gives it."""

    FORK = "fork"
    FORKSERVER = "forkserver"
    SPAWN = "spawn"


ALL_METHODS = frozenset(StartMethod)
PICKLING_METHODS = frozenset({StartMethod.FORKSERVER, StartMethod.SPAWN})
"""The methods that import the program again in each worker and send the dataset to it as a pickle."""


def parse_start_methods(text: str) -> frozenset[StartMethod]:
    """Read a comma-separated list such as `fork,spawn`; raise ValueError naming what is wrong."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [method.value for method in StartMethod]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown start method {name!r}: choose from {', '.join(known)}")
    if not names:
        raise ValueError(f"no start method given: choose from {', '.join(known)}")
    return frozenset(StartMethod(name) for name in names)


def spell(methods: Iterable[StartMethod]) -> str:
    """Name start methods for a message: `under spawn/forkserver (Linux default from 3.14)`."""
    present = frozenset(methods)
    if present == ALL_METHODS:
        return "under every start method"
    order = (StartMethod.FORK, StartMethod.SPAWN, StartMethod.FORKSERVER)
    names = "/".join(method.value for method in order if method in present)
    default = " (Linux default from 3.14)" if StartMethod.FORKSERVER in present else ""
    return f"under {names}{default}"
