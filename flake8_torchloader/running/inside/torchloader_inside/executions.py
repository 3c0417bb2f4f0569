"""Top-level executions of the user's modules, and exceptions that nobody caught."""

from __future__ import annotations

import sys
from types import CodeType, TracebackType
from typing import Any

from .sites import absolute, failure, is_users
from .tell import quietly, tell

_MOST_MODULES = 500
_told_modules = 0
_told_error: int | None = None


@quietly
def executed(args: tuple[Any, ...]) -> None:
    """Tell that the top level of a module of the user starts to run."""
    global _told_modules
    code = args[0]
    if not isinstance(code, CodeType) or code.co_name != "<module>" or not is_users(code.co_filename):
        return
    if _told_modules < _MOST_MODULES:
        _told_modules += 1
        tell("module", path=absolute(code.co_filename))


@quietly
def tell_uncaught(error: BaseException | None) -> None:
    """Tell an uncaught exception once, whichever of the two ways it became known."""
    global _told_error
    if error is None or id(error) == _told_error:
        return
    _told_error = id(error)
    tell("uncaught", **failure(error))


def uncaught(args: tuple[Any, ...]) -> None:
    """Take the audit event of an exception that reached the top: it comes even if the program set a hook of its own."""
    tell_uncaught(args[2] if isinstance(args[2], BaseException) else None)


def wrap_excepthook() -> None:
    """Take also the exceptions that a fork server hands to `sys.excepthook` itself, without an audit event."""
    original = sys.excepthook

    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        tell_uncaught(error)
        original(kind, error, trace)

    sys.excepthook = excepthook
