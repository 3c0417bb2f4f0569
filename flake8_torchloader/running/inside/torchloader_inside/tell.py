"""Telling the controller: one JSON line an event, each in one append, so that evidence survives a kill."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from .settings import SETTINGS

_LONGEST_LINE = 200_000
_LONGEST_TEXT = 2_000

_open, _write, _close, _getpid, _monotonic = os.open, os.write, os.close, os.getpid, time.monotonic
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)

Result = TypeVar("Result")


def tell(kind: str, **fields: Any) -> None:
    """Append an event.

    The file is opened each time: a descriptor that is kept open could be closed and reused by the program.
    """
    head = {"kind": kind, "pid": _getpid(), "time": round(_monotonic() - SETTINGS.begun, 6)}
    line = json.dumps({**head, **fields}, default=clip)
    if len(line) > _LONGEST_LINE:
        line = json.dumps({**head, "clipped": len(line)})
    try:
        descriptor = _open(SETTINGS.events, _FLAGS, 0o600)
    except OSError:
        return
    try:
        _write(descriptor, (line + "\n").encode("ascii"))
    except OSError:
        return
    finally:
        _close(descriptor)


def clip(value: object, longest: int = _LONGEST_TEXT) -> str:
    """The text of any value, shortened; a value that cannot be shown gives the name of its type."""
    try:
        text = str(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= longest else text[:longest] + "..."


def quietly(probe: Callable[..., Result]) -> Callable[..., Result | None]:
    """Make a probe harmless: what goes wrong in it is told as an event, and the program goes on."""

    @functools.wraps(probe)
    def guarded(*args: Any, **kwargs: Any) -> Result | None:
        try:
            return probe(*args, **kwargs)
        except Exception as error:
            tell("probe_failed", probe=probe.__qualname__, error=f"{type(error).__name__}: {clip(error)}")
            return None

    return guarded
