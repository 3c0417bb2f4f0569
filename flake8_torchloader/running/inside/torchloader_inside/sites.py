"""Which lines are the user's own, and which of them led to a call or an exception."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from .settings import SETTINGS
from .tell import clip

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED = {"site-packages", "dist-packages"}
_MOST_SITES = 30


def absolute(filename: str) -> str:
    """A file name of a code object as an absolute path, wherever the program has moved since."""
    return os.path.normpath(os.path.join(SETTINGS.cwd, filename))


@functools.lru_cache(maxsize=4096)
def is_users(filename: str) -> bool:
    """Whether a file is the user's own: not the standard library's, not installed, not ours, not made up."""
    if filename.startswith("<"):
        return False
    path = absolute(filename)
    if path == SETTINGS.script:
        return True
    return not path.startswith((_OURS, _STANDARD)) and _INSTALLED.isdisjoint(path.split(os.sep))


def site_of(frame: FrameType, line: int | None = None) -> dict[str, Any]:
    """A frame as an event shows it."""
    code = frame.f_code
    return {"file": absolute(code.co_filename), "line": line or frame.f_lineno, "function": code.co_name}


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def calling_site() -> dict[str, Any] | None:
    """The innermost line of the user that led here."""
    frames = (frame for frame in _outwards(sys._getframe(1)) if is_users(frame.f_code.co_filename))
    return next((site_of(frame) for frame in frames), None)


def sites_since_import(is_inside: Callable[[FrameType], bool]) -> list[dict[str, Any]]:
    """The user's lines from the top level that is running to here, outermost first.

    The innermost ones are left out as long as `is_inside` says so. Empty if no top level of the user led here.
    """
    found: list[dict[str, Any]] = []
    for frame in _outwards(sys._getframe(1)):
        if not is_users(frame.f_code.co_filename) or not found and is_inside(frame):
            continue
        found.append(site_of(frame))
        if frame.f_code.co_name == "<module>":
            return found[::-1]
    return []


def _sites(trace: TracebackType | None) -> list[dict[str, Any]]:
    found = []
    while trace is not None:
        if is_users(trace.tb_frame.f_code.co_filename):
            found.append(site_of(trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return found[-_MOST_SITES:]


def failure(error: BaseException) -> dict[str, Any]:
    """An exception as an event shows it, with the user's lines it passed through, outermost first."""
    kind = type(error)
    sites = _sites(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename and is_users(error.filename):
        sites.append({"file": absolute(error.filename), "line": error.lineno or 1, "function": "<module>"})
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return {"type": name, "text": clip(error), "sites": sites, "cause": _cause(error)}


def _cause(error: BaseException) -> str:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{type(cause).__name__}: {clip(cause)}" if cause is not None else ""
