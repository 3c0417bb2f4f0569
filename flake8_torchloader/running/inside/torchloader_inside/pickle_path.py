"""Turning the objects a pickler went through into the path that a programmer would write."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from types import MethodType
from typing import Any

# Where Python's own types keep what they hold, other than in a `__dict__`.
_KNOWN: dict[type, tuple[str, ...]] = {
    functools.partial: ("func", "args", "keywords"),
    MethodType: ("__self__",),
    defaultdict: ("default_factory",),
}


def path_of(trail: list[Any], root: str) -> str:
    """The path from the first object of the trail to the last, e.g. `dataset.transform.transforms[2]`.

    Between two objects of the program a pickler also goes through tuples and dicts of its own making: they are skipped.
    A class at the end stands for the object before it, whose class it is.
    """
    if len(trail) > 1 and isinstance(trail[-1], type) and isinstance(trail[-2], trail[-1]):
        trail = trail[:-1]
    path, here = root, 0
    while here < len(trail) - 1:
        step, label = _step(trail, here)
        path, here = path + label, here + step
    return path


def _step(trail: list[Any], here: int) -> tuple[int, str]:
    """How far the next object of the program lies along the trail, and how it is reached."""
    owner = trail[here]
    if isinstance(owner, (list, tuple)) or type(owner) is dict:
        return 1, _item(owner, trail[here + 1])
    for step in range(1, min(5, len(trail) - here)):
        label = _attribute(owner, trail[here + step])
        if label:
            return step, label
    return _through_state(trail, here)


def _through_state(trail: list[Any], here: int) -> tuple[int, str]:
    """The way through what `__getstate__` or `__reduce__` made up, or of a mapping that is more than a dict."""
    state = trail[here + 1]
    if type(state) is dict and here + 2 < len(trail):
        key = _key(state, trail[here + 2])
        return 2, f".{key}" if isinstance(key, str) and key.isidentifier() else ""
    return 1, _item(trail[here], state)


def _item(container: Any, wanted: Any) -> str:
    if isinstance(container, (list, tuple)):
        items = list.__iter__(container) if isinstance(container, list) else tuple.__iter__(container)
        index = next((i for i, item in enumerate(items) if item is wanted), None)
        return "" if index is None else f"[{index}]"
    key = _key(container, wanted) if isinstance(container, dict) else None
    return "" if key is None else f"[{key!r}]"


def _key(mapping: dict[Any, Any], wanted: Any) -> Any:
    return next((key for key, value in dict.items(mapping) if value is wanted), None)


def _attribute(owner: Any, wanted: Any) -> str:
    return next((f".{name}" for name, value in _attributes(owner) if value is wanted), "")


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    state = getattr(owner, "__dict__", None)
    if isinstance(state, dict):
        yield from state.items()
    slots = [name for kind in type(owner).__mro__ for name in _slots(kind)]
    for name in [*slots, *_KNOWN.get(type(owner), ())]:
        try:
            yield name, getattr(owner, name)
        except AttributeError:  # a slot that was never set
            continue


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
