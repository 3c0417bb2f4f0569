"""Where the functions and classes of a program are written."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from .sites import absolute, is_users
from .tell import quietly

_MOST_CLASSES = 50


def definition(thing: Any) -> dict[str, Any] | None:
    """Where a function or class was written, if it was written in Python."""
    code = getattr(thing, "__code__", None)
    if code is not None:
        return {"file": absolute(code.co_filename), "line": code.co_firstlineno, "function": code.co_name}
    if not inspect.isclass(thing):
        return None
    try:
        file, line = inspect.getsourcefile(thing), inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return None
    return {"file": absolute(file), "line": line, "function": thing.__name__} if file else None


@quietly
def classes_of(things: list[Any]) -> list[dict[str, Any]]:
    """Where the user's own classes are written of which some things are objects, those inherited from included."""
    kinds = dict.fromkeys(kind for thing in things for kind in type(thing).__mro__ if _is_users(kind))
    found = (definition(kind) for kind in list(kinds)[:_MOST_CLASSES])
    return [one for one in found if one is not None]


def _is_users(kind: type) -> bool:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return isinstance(file, str) and is_users(file)
