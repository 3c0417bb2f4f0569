"""One audit hook for the whole process: it hands the few events that matter to those who asked for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Listener = Callable[[tuple[Any, ...]], None]


def install(listeners: dict[str, Listener]) -> None:
    """Listen from now on; an audit hook can't be removed, and forked processes inherit it."""
    find = listeners.get

    def hook(event: str, args: tuple[Any, ...]) -> None:
        listener = find(event)
        if listener is not None:
            listener(args)

    sys.addaudithook(hook)
