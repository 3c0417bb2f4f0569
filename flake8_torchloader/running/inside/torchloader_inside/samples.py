"""Digests of samples: equal contents give equal digests, in whichever process they are taken."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any

_DEEPEST = 6
_LARGEST = 2 << 20
_MOST_ELEMENTS = 10_000


def digest(item: Any) -> str:
    """Twelve hexadecimal digits for the contents of an item."""
    state = hashlib.blake2b(digest_size=6)
    _feed(state, item, 0)
    return state.hexdigest()


def _feed(state: Any, item: Any, depth: int) -> None:
    state.update(type(item).__name__.encode())
    if depth > _DEEPEST:
        return
    data = _bulk(item)
    if data is not None:
        state.update(data)
    elif isinstance(item, dict):
        for key, value in dict.items(item):
            _feed(state, key, depth + 1)
            _feed(state, value, depth + 1)
    elif isinstance(item, (list, tuple)):
        for part in list.__iter__(item) if isinstance(item, list) else tuple.__iter__(item):
            _feed(state, part, depth + 1)
    elif isinstance(item, (int, float, complex, str, bool, type(None))):
        state.update(repr(item).encode("utf-8", "backslashreplace"))
    elif isinstance(getattr(item, "__dict__", None), dict):
        _feed(state, vars(item), depth + 1)


def _bulk(item: Any) -> bytes | None:
    """The bytes of an array, tensor or image, or None for other things; of large ones both ends are enough."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if isinstance(item, (bytes, bytearray)):
        return bytes(item)
    if numpy is not None and isinstance(item, (numpy.ndarray, numpy.generic)):
        return _array_bytes(numpy.asarray(item))
    if torch is not None and isinstance(item, torch.Tensor):
        return tensor_bytes(item)
    return bytes(item.tobytes()) if type(item).__module__.startswith("PIL.") and hasattr(item, "tobytes") else None


def _array_bytes(array: Any) -> bytes:
    head = f"{array.dtype}{array.shape}".encode()
    if array.dtype.hasobject:
        return head + repr(array).encode()
    if array.nbytes <= _LARGEST:
        return head + bytes(array.tobytes())
    part = _LARGEST // 2 // array.itemsize
    return head + bytes(array.flat[:part].tobytes()) + bytes(array.flat[-part:].tobytes())


def tensor_bytes(tensor: Any) -> bytes:
    """The contents of a tensor; of one whose type numpy does not know, or without numpy, the first elements.

    One that a forked process can't read, since it lies on a GPU, is like no other.
    """
    try:
        plain = tensor.detach().cpu()
    except RuntimeError:
        return os.urandom(8)
    try:
        return _array_bytes(plain.numpy())
    except (TypeError, RuntimeError):
        return f"{plain.dtype}{tuple(plain.shape)}{plain.flatten()[:_MOST_ELEMENTS].tolist()}".encode()
