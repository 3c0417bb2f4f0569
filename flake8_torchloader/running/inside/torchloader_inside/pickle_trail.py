"""Finding out which object, deep inside another, can't be pickled, and how one gets there.

The pure-Python pickler is run into the void with a note of what it is working on. Tensors and plain values are passed
over: the ones would be moved to shared memory, the others are always fine. An object that failed is passed over in the
next attempt, until nothing fails any more.
"""

from __future__ import annotations

import copyreg
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import context
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

from .pickle_path import path_of

_PLAIN = (int, float, complex, str, bytes, bytearray, bool, type(None))
_MOST_CULPRITS = 20


class Culprit(NamedTuple):
    """An object that can't be pickled, the path to it, and what the real pickler says of it."""

    thing: Any
    path: str
    error: Exception


class _OutOfTime(Exception):
    """The object is too large to be looked through in the time given."""


class _Void:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        """Drop the data."""
        return len(data)


class _Process:
    """Stands for the process to be started, which locks and connections ask for while they are pickled."""

    @staticmethod
    def DupFd(descriptor: int) -> int:
        """Pretend to pass on a descriptor."""
        return descriptor

    @staticmethod
    def duplicate_for_child(descriptor: int) -> int:
        """Pretend to pass on a descriptor."""
        return descriptor


_PurePickler: Any = getattr(pickle, "_Pickler")


class _Trail(_PurePickler):  # type: ignore[misc]
    """A pickler that knows where it was when it failed."""

    def __init__(self, forgiven: set[int], deadline: float) -> None:
        super().__init__(_Void(), pickle.DEFAULT_PROTOCOL)
        extra: dict[Any, Any] = getattr(ForkingPickler, "_extra_reducers")
        self.dispatch_table = {**copyreg.dispatch_table, **extra}
        self.forgiven = forgiven
        self.deadline = deadline
        self.trail: list[Any] = []
        self.failed: list[Any] = []

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Pickle one object, unless there is nothing to learn from it."""
        if isinstance(obj, _PLAIN) or id(obj) in self.forgiven or _is_bulk(obj):
            return
        if time.monotonic() > self.deadline:
            raise _OutOfTime
        self.trail.append(obj)
        try:
            _PurePickler.save(self, obj, save_persistent_id)
        except Exception:
            self.failed = self.failed or list(self.trail)
            raise
        finally:
            self.trail.pop()


def _is_bulk(obj: Any) -> bool:
    """Whether an object is a tensor or an array of plain numbers."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if numpy is not None and isinstance(obj, numpy.ndarray):
        return not obj.dtype.hasobject
    return torch is not None and isinstance(obj, torch.Tensor) and bool(obj.is_leaf or not obj.requires_grad)


def culprits(root: Any, name: str, deadline: float) -> Iterator[Culprit]:
    """All objects below `root` that can't be pickled, until the deadline (seconds of the monotonic clock)."""
    forgiven: set[int] = set()
    for _ in range(_MOST_CULPRITS):
        trail = _Trail(forgiven, deadline)
        error = _attempt(trail.dump, root)
        if error is None or not trail.failed:
            return
        thing = trail.failed[-1]
        yield Culprit(thing, path_of(trail.failed, name), _attempt(ForkingPickler.dumps, thing) or error)
        forgiven.add(id(thing))


def _attempt(dump: Callable[[Any], Any], thing: Any) -> Exception | None:
    """What goes wrong if a thing is pickled as if for a process that is being started."""
    popen: Any = context.get_spawning_popen()
    pretended: Any = _Process
    context.set_spawning_popen(pretended)
    try:
        dump(thing)
    except (_OutOfTime, RecursionError):
        return None
    except Exception as error:
        return error
    finally:
        context.set_spawning_popen(popen)
    return None
