"""Which functions of OpenCV a fetch calls: a limit on its threads matters only where it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_MOST_NAMES = 20


def noting_calls(names: set[str], call: Callable[..., Any], *args: Any) -> Any:
    """Call something and add the names of the OpenCV functions that it calls, unless the program has a profiler."""
    cv2 = sys.modules.get("cv2")
    if cv2 is None or sys.getprofile() is not None:
        return call(*args)

    def note(frame: object, event: str, function: Any) -> None:
        if event == "c_call" and len(names) < _MOST_NAMES and _is_of_opencv(cv2, function):
            names.add(function.__name__)

    sys.setprofile(note)
    try:
        return call(*args)
    finally:
        sys.setprofile(None)


def _is_of_opencv(cv2: Any, function: Any) -> bool:
    """Whether a C function stands in cv2 itself, or is a method of one of its objects."""
    name, owner = getattr(function, "__name__", None), getattr(function, "__self__", None)
    return vars(cv2).get(name) is function or type(owner).__module__.partition(".")[0] == "cv2"
