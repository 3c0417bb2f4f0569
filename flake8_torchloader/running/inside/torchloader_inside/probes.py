"""Looks at a dataset without changing it: what is within reach of it, the outline of its attributes, devices, models.

No method of the user is called: what a class of his made of `__getitem__` or `items` is passed by.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from types import ModuleType
from typing import Any

from .samples import digest
from .sites import is_users
from .tell import clip, quietly

_DEEPEST = 5
_MOST_THINGS = 2_000
_MOST_ITEMS = 50
_MOST_ATTRIBUTES = 60
_SIMPLE = (int, float, bool, type(None))
_SIZED = (list, tuple, dict, set, frozenset, str, bytes, bytearray)
PLAIN = (int, float, complex, str, bytes, bool, type(None), ModuleType, type)


def _children(thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, dict):
        yield from ((f"[{clip(key, 40)}]", value) for key, value in islice(dict.items(thing), _MOST_ITEMS))
    elif isinstance(thing, (list, tuple)):
        items = list.__iter__(thing) if isinstance(thing, list) else tuple.__iter__(thing)
        yield from ((f"[{index}]", value) for index, value in enumerate(islice(items, _MOST_ITEMS)))
    if isinstance(getattr(thing, "__dict__", None), dict):
        yield from ((f".{name}", value) for name, value in list(vars(thing).items())[:_MOST_ITEMS])


def reachable(roots: dict[str, Any], most: int = _MOST_THINGS) -> Iterator[tuple[str, Any]]:
    """All things within reach of some roots with the path to each, nearest first, each thing once."""
    queue = [(path, thing, 0) for path, thing in roots.items()]
    seen: set[int] = set()
    for path, thing, depth in queue:
        if isinstance(thing, PLAIN) or id(thing) in seen:
            continue
        seen.add(id(thing))
        yield path, thing
        if depth < _DEEPEST and len(queue) < most and not _is_tensor(thing):
            queue.extend((path + step, child, depth + 1) for step, child in _children(thing))


def _is_tensor(thing: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.Tensor)


def _is_array(thing: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(thing, numpy.ndarray)


@quietly
def attributes(dataset: Any) -> dict[str, dict[str, Any]]:
    """The outline of each attribute of a dataset: type with length, shape or value; its bytes and a digest if cheap.

    Of a part of a dataset, as `Subset` makes it, the attributes of the whole are told as well: `dataset.size`.
    """
    items = list(_state(dataset).items())[:_MOST_ATTRIBUTES]
    found = {str(name): attribute(value) for name, value in items}
    if type(dataset).__module__.startswith("torch.utils.data"):
        inner = attributes(_state(dataset).get("dataset")) or {}
        found.update((f"dataset.{name}", value) for name, value in inner.items())
    return found


def _state(thing: Any) -> dict[str, Any]:
    state = getattr(thing, "__dict__", None)
    return state if isinstance(state, dict) else {}


def attribute(value: Any) -> dict[str, Any]:
    """The outline of one value, its bytes, and a digest if that is cheap."""
    return {"outline": _outline(value), "size": _size(value), "digest": digest(value) if _is_cheap(value) else ""}


def _is_cheap(value: Any) -> bool:
    """Whether a digest of a value takes no time: arrays, and short lists, as long as all lies on the CPU."""
    if type(value) in (list, tuple, dict):
        items = dict.values(value) if isinstance(value, dict) else value
        return len(items) <= _MOST_ITEMS and all(type(item) in _SIMPLE or _is_cheap(item) for item in items)
    return type(value) is str or _is_array(value) or _is_tensor(value) and value.device.type == "cpu"


def _outline(value: Any) -> str:
    kind = type(value).__name__
    if type(value) in _SIMPLE:
        return f"{kind} {clip(value, 40)}"
    if _is_tensor(value):
        return f"{kind}{clip(tuple(value.shape), 60)} on {value.device}"
    if _is_array(value):
        return f"{kind}{clip(value.shape, 60)}"
    return f"{kind}[{len(value)}]" if type(value) in _SIZED else kind


def _size(value: Any) -> int | None:
    """Bytes of an array, a tensor or a string; None where adding them up would take long."""
    if _is_tensor(value) or _is_array(value):
        return int(value.nbytes)
    return sys.getsizeof(value) if type(value) in (str, bytes, bytearray) else None


@quietly
def devices_of(thing: Any) -> list[str]:
    """The devices, other than the CPU, of the tensors within reach of a thing."""
    found = {str(part.device) for _, part in reachable({"": thing}) if _is_tensor(part)}
    return sorted(found - {"cpu"})


def within_reach(thing: Any) -> list[Any]:
    """A thing and all that it holds, nearest first."""
    return [part for _, part in reachable({"": thing})]


@quietly
def models_held() -> list[dict[str, Any]]:
    """The models that global variables of the user's modules hold in this process."""
    torch = sys.modules.get("torch")
    modules = {id(module): module for module in list(sys.modules.values()) if is_users(file_of(module))}
    held = {
        id(value): (f"{module.__name__}.{name}", value)
        for module in modules.values()
        for name, value in list(vars(module).items())
        if torch is not None and isinstance(value, torch.nn.Module)
    }
    models = list(held.values())[:_MOST_ITEMS]
    return [{"name": name, "type": type(model).__qualname__, "bytes": _model_bytes(model)} for name, model in models]


def file_of(module: Any) -> str:
    """The file of a module, or what passes for none."""
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else "<none>"


def _model_bytes(model: Any) -> int:
    return sum(part.numel() * part.element_size() for part in [*model.parameters(), *model.buffers()])
