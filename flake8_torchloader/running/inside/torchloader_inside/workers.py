"""What the processes that fetch data do: mostly workers, and in the control the process that iterates.

Everything is wrapped inside the worker or by name, so that nothing more is pickled than without us.
"""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable
from typing import Any

from . import cap, generators, handles, measure, opencv, probes
from .globals import tell_globals
from .samples import digest
from .settings import SETTINGS
from .sites import failure
from .tell import quietly, tell

_MOST_SAMPLES = 500
_PROFILED_FETCHES = 2  # the first may be what imports OpenCV

_worker: int | None = None
_epochs = 0


def watch_loop(module: Any) -> None:
    """Wrap torch's worker loop under its own name, so that it is pickled as before.

    Later than torch 2.13 the loop of processes has a longer name, beside one of threads.
    """
    name = next(name for name in ("_process_worker_loop", "_worker_loop") if hasattr(module, name))
    setattr(module, name, _watched_loop(getattr(module, name)))


def _watched_loop(original: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def _worker_loop(*args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        _enter(bound.arguments)
        try:
            original(*bound.args, **bound.kwargs)
        except BaseException as error:
            tell("worker_broke", worker=_worker, failure=failure(error))
            raise
        tell("worker_left", worker=_worker)

    return _worker_loop


@quietly
def _enter(arguments: dict[str, Any]) -> None:
    global _worker, _epochs
    _worker, _epochs = arguments.get("worker_id"), 0
    cap.forget()
    handles.remember(os.getppid())
    tell(
        "worker",
        worker=_worker,
        parent=os.getppid(),
        uss=measure.uss_bytes(),
        models=probes.models_held(),
        cuda=measure.has_cuda(),
        cuda_allocations=measure.cuda_allocations(),
    )
    tell_globals(with_lines=False)
    init = arguments.get("init_fn")
    if init is not None:
        arguments["init_fn"] = _watched_init(init)


def _watched_init(init: Callable[[int], Any]) -> Callable[[int], Any]:
    def watched_init(worker: int) -> Any:
        calls: set[str] = set()
        try:
            return opencv.noting_calls(calls, init, worker)
        except Exception as error:
            tell("init_failed", worker=_worker, failure=failure(error))
            raise
        finally:
            tell("initialised", worker=_worker, cv2_calls=sorted(calls))

    return watched_init


def watch_fetchers(module: Any) -> None:
    """Look at a process around its first fetch of an epoch, and at the samples of all fetches up to the cap."""
    base = module._BaseDatasetFetcher
    base.__init__ = _fetcher_init(base.__init__)
    for name in ("_MapDatasetFetcher", "_IterableDatasetFetcher"):
        fetcher = getattr(module, name)
        fetcher.fetch = _fetch(fetcher.fetch)


def _fetcher_init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        global _epochs
        original(self, *args, **kwargs)
        self._torchloader_watch = _Watch(_epochs)
        _epochs += 1
        self.collate_fn = self._torchloader_watch.collate(self.collate_fn)

    return __init__


def _fetch(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    @functools.wraps(original)
    def fetch(self: Any, index: Any) -> Any:
        watch: _Watch | None = getattr(self, "_torchloader_watch", None)
        if watch is None or watch.fetches >= SETTINGS.batches:
            return original(self, index)
        watch.before(self, index)
        try:
            batch = watch.call(original, self, index)
        except StopIteration:
            raise
        except Exception as error:
            tell("fetch_failed", worker=_worker, failure=failure(error))
            raise
        watch.after(self, batch)
        return batch

    return fetch


class _Watch:
    """Watches the fetches of one fetcher, that is of one process in one epoch."""

    def __init__(self, epoch: int) -> None:
        """The epoch counts the fetchers of this process from 0."""
        self._where = {"worker": _worker, "epoch": epoch, "pass": cap.latest()}
        self.fetches = 0
        self._index: Any = None
        self._collate: Any = None
        self._began = 0.0
        self._generators: dict[str, generators.State] = {}
        self._attributes: dict[str, Any] = {}
        self._cv2_calls: set[str] = set()

    def call(self, original: Callable[[Any, Any], Any], fetcher: Any, index: Any) -> Any:
        """Fetch, at first with a note of the OpenCV functions that are called."""
        if self.fetches >= _PROFILED_FETCHES:
            return original(fetcher, index)
        return opencv.noting_calls(self._cv2_calls, original, fetcher, index)

    @quietly
    def before(self, fetcher: Any, index: Any) -> None:
        """Look at the process just before a fetch."""
        self._index, self._began = index, time.monotonic()
        if self.fetches == 0:
            tell("fetch_entered", **self._where)
            self._generators = generators.states(fetcher.dataset, self._collate)
            self._attributes = probes.attributes(fetcher.dataset) or {}

    @quietly
    def after(self, fetcher: Any, batch: Any) -> None:
        """Look at the process just after a fetch."""
        seconds = time.monotonic() - self._began
        self.fetches += 1
        calls = sorted(self._cv2_calls)
        tell("fetched", worker=_worker, uss=measure.uss_bytes(), handles=handles.moved(), cv2_calls=calls)
        if self.fetches == 1:
            self._tell_first(fetcher.dataset, batch, seconds)

    def _tell_first(self, dataset: Any, batch: Any, seconds: float) -> None:
        after = generators.states(dataset, self._collate)
        tell(
            "first_fetch",
            **self._where,
            seconds=round(seconds, 4),
            threads=measure.threads(),
            cv2=measure.cv2_threads(),
            uss=measure.uss_bytes(),
            cuda=measure.has_cuda(),
            cuda_bytes=measure.cuda_bytes(),
            cuda_allocations=measure.cuda_allocations(),
            devices=probes.devices_of(batch),
            generators=[self._generator(path, state) for path, state in after.items()],
            attributes_before=self._attributes,
            attributes_after=probes.attributes(dataset),
        )

    def _generator(self, path: str, after: generators.State) -> dict[str, Any]:
        before = self._generators.get(path)
        is_drawn = before is not None and before.digest != after.digest
        return {
            "path": path,
            "type": after.type,
            "before": before.digest if before is not None else "",
            "after": after.digest,
            "reseeded": is_drawn and before is not None and before.is_reseeded_in(after),
        }

    def collate(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Take a digest of each item on its way to the user's collate function."""
        self._collate = original

        def collate_fn(items: Any) -> Any:
            if self.fetches < SETTINGS.batches:
                self._tell_samples(items)
            return original(items)

        return collate_fn

    @quietly
    def _tell_samples(self, items: Any) -> None:
        many = isinstance(items, list)
        indices = list(self._index) if many and isinstance(self._index, (list, tuple)) else [self._index]
        taken = [str(index)[:40] for index in indices[:_MOST_SAMPLES]]
        digests = [digest(item) for item in items[:_MOST_SAMPLES]] if many else [digest(items)]
        tell("samples", **self._where, indices=taken, digests=digests)
