"""What the process that builds and iterates DataLoaders does with them."""

from __future__ import annotations

import functools
import inspect
import itertools
import time
import weakref
from collections.abc import Callable
from typing import Any

from . import cap, crossing, measure, processes
from .definitions import classes_of
from .globals import tell_globals
from .probes import attributes, devices_of, within_reach
from .settings import SETTINGS
from .sites import calling_site, failure, sites_since_import
from .tell import quietly, tell

# What has a meaning only with workers, and is refused by torch without them.
_NEEDS_WORKERS = ("prefetch_factor", "persistent_workers", "timeout", "multiprocessing_context")
_ITERABLE = 1  # torch.utils.data._DatasetKind.Iterable

_MOST_SITES = 30

_numbers = itertools.count()
_asked: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()


def watch_loaders(module: Any) -> None:
    """Follow each DataLoader from its construction to its last batch."""
    loader = module.DataLoader
    loader.__init__ = _init(loader.__init__)
    loader.__iter__ = _iter(loader.__iter__)
    iterator = module._BaseDataLoaderIter
    iterator.__next__ = _next(iterator.__next__)


def _init(original: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        site = calling_site()
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            return original(self, *args, **kwargs)
        wanted = dict(bound.arguments)
        if SETTINGS.forces_no_workers:
            _force_no_workers(bound.arguments)
        try:
            original(*bound.args, **bound.kwargs)
        except Exception as error:
            tell("loader_refused", site=site, failure=failure(error))
            raise
        _tell_built(self, wanted, site, sites_since_import(lambda frame: False))

    return __init__


def _force_no_workers(arguments: dict[str, Any]) -> None:
    arguments.pop("num_workers", None)
    for name in _NEEDS_WORKERS:
        arguments.pop(name, None)


@quietly
def _tell_built(
    loader: Any, wanted: dict[str, Any], site: dict[str, Any] | None, sites: list[dict[str, Any]]
) -> None:
    context = wanted.get("multiprocessing_context")
    kind = type(wanted.get("dataset"))
    workers = wanted.get("num_workers", 0)
    asked = {
        "loader": next(_numbers),
        "site": site,
        "sites": sites[-_MOST_SITES:],
        "workers": workers if isinstance(workers, int) else 0,
        "dataset": f"{kind.__module__}.{kind.__qualname__}",
        "context": context if isinstance(context, str) else getattr(context, "_name", None),
        "persistent": bool(wanted.get("persistent_workers", False)),
        "iterable": getattr(loader, "_dataset_kind", None) == _ITERABLE,
    }
    _asked[loader] = asked
    tell("loader", **asked, classes=classes_of(within_reach(wanted.get("dataset"))))


def _iter(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(original)
    def __iter__(self: Any) -> Any:
        passed = _enter(self)
        began = time.monotonic()
        try:
            iterator = original(self)
        except Exception as error:
            _tell_not_started(self, passed, error)
            raise
        if passed is not None:
            _tell_started(iterator, passed, time.monotonic() - began)
        return iterator

    return __iter__


@quietly
def _enter(loader: Any) -> cap.Pass:
    asked = _asked.get(loader) or {"loader": -1, "site": None, "workers": 0}
    site = calling_site()
    cap.stop_if_seen_enough(site, asked)
    passed = cap.Pass(asked["loader"], asked["workers"])
    tell(
        "pass_entered",
        **{"pass": passed.number},
        loader=asked["loader"],
        site=site,
        method=_method(loader),
        cuda=measure.has_cuda(),
        devices=devices_of(loader.dataset),
        attributes=attributes(loader.dataset),
    )
    if passed.is_first_of_loader:
        tell_globals(with_lines=True)
    if SETTINGS.forces_no_workers and asked["workers"] and passed.is_first_of_loader:
        crossing.check(loader, asked["loader"])
    return passed


def _method(loader: Any) -> str | None:
    """The start method that the workers of this loader get, or None if it has no workers."""
    if not loader.num_workers:
        return None
    context = loader.multiprocessing_context
    name = getattr(context, "_name", None)
    return str(name) if name else processes.current_method()


@quietly
def _tell_started(iterator: Any, passed: cap.Pass, seconds: float) -> None:
    iterator._torchloader_pass = passed
    pids = [process.pid for process in getattr(iterator, "_workers", [])]
    tell("pass_started", **{"pass": passed.number}, pids=pids, seconds=round(seconds, 4))


@quietly
def _tell_not_started(loader: Any, passed: cap.Pass | None, error: Exception) -> None:
    number = passed.number if passed is not None else -1
    tell("pass_failed", **{"pass": number}, failure=failure(error), exit_codes=[])
    if _method(loader) not in (None, "fork"):
        crossing.check(loader, _asked.get(loader, {}).get("loader", -1))


def _next(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(original)
    def __next__(self: Any) -> Any:
        passed: cap.Pass | None = getattr(self, "_torchloader_pass", None)
        if passed is None:
            return original(self)
        cap.stop_if_full(passed)
        try:
            batch = original(self)
        except StopIteration:
            tell("pass_ended", **{"pass": passed.number}, cut=False)
            raise
        except Exception as error:
            _tell_broken(self, passed, error)
            raise
        _tell_batch(passed, batch)
        return batch

    return __next__


@quietly
def _tell_broken(iterator: Any, passed: cap.Pass, error: Exception) -> None:
    codes = [process.exitcode for process in getattr(iterator, "_workers", [])]
    tell("pass_failed", **{"pass": passed.number}, failure=failure(error), exit_codes=codes)


@quietly
def _tell_batch(passed: cap.Pass, batch: Any) -> None:
    passed.batches += 1
    tell("batch", **{"pass": passed.number}, devices=devices_of(batch))
