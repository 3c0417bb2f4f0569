"""Workers and their first fetches, put together from the events that tell of them."""

from __future__ import annotations

from collections import defaultdict

from flake8_torchloader.observed import Failure, Pass
from flake8_torchloader.running import fields
from flake8_torchloader.running.passes import number_of, served
from flake8_torchloader.trial import Event
from flake8_torchloader.worker_seen import FirstFetch, GeneratorSeen, Worker

_BROKEN = ("fetch_failed", "init_failed", "worker_broke", "uncaught")


def workers(events: list[Event], passes: tuple[Pass, ...], main: int) -> tuple[Worker, ...]:
    """The processes that reached torch's worker loop, were started for it, or died with an exception before it."""
    passed = {pid: numbers[0] for pid, numbers in served(passes).items()}
    told: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        told[event.pid].append(event)
    reached = {event.pid for event in events if event.kind == "worker"}
    died = {event.pid for event in events if event.kind == "uncaught"} - {main}
    pids = sorted(reached | died | set(passed))
    return tuple(_worker(pid, passed.get(pid), told[pid]) for pid in pids)


def _worker(pid: int, passed: int | None, told: list[Event]) -> Worker:
    entered = next((event.fields for event in told if event.kind == "worker"), None)
    fetched = [event.fields for event in told if event.kind == "fetched"]
    seen = (event.fields for event in told if event.kind in ("initialised", "fetched"))
    calls = (name for one in seen for name in fields.strings(one, "cv2_calls"))
    return Worker(
        pid=pid,
        worker=fields.maybe(entered or {}, "worker"),
        passed=passed,
        has_reached_loop=entered is not None,
        has_left=any(event.kind == "worker_left" for event in told),
        fetches=len(fetched),
        uss_bytes=fields.maybe(entered or {}, "uss"),
        uss_last_bytes=fields.maybe(fetched[-1], "uss") if fetched else None,
        cv2_calls=frozenset(calls),
        failure=_failure(told),
        had_cuda=(entered or {}).get("cuda") is True,
        cuda_allocations=fields.number(entered or {}, "cuda_allocations"),
    )


def _failure(told: list[Event]) -> Failure | None:
    broken = next((event for event in told if event.kind in _BROKEN), None)
    if broken is None:
        return None
    return fields.failure(broken.fields if broken.kind == "uncaught" else broken.fields.get("failure"), broken.pid)


def first_fetches(events: list[Event], serving: dict[int, list[int]]) -> tuple[FirstFetch, ...]:
    """The first fetch of each process in each epoch, also those that never came back."""
    found: dict[tuple[int, int], Event] = {}
    for event in events:
        if event.kind in ("fetch_entered", "first_fetch"):
            found[event.pid, fields.number(event.fields, "epoch")] = event
    return tuple(_first_fetch(event, number_of(event, serving)) for event in found.values())


def _first_fetch(event: Event, passed: int | None) -> FirstFetch:
    told = event.fields
    return FirstFetch(
        pid=event.pid,
        worker=fields.maybe(told, "worker"),
        passed=passed,
        epoch=fields.number(told, "epoch"),
        has_returned=event.kind == "first_fetch",
        seconds=fields.real(told, "seconds"),
        threads=fields.number(told, "threads"),
        cv2_threads=fields.maybe(told, "cv2"),
        uss_bytes=fields.maybe(told, "uss"),
        has_cuda=told.get("cuda") is True,
        cuda_bytes=fields.number(told, "cuda_bytes"),
        devices=frozenset(fields.strings(told, "devices")),
        generators=tuple(_generator(fields.inner(one)) for one in fields.listed(told, "generators")),
        attributes_before=fields.attributes(told, "attributes_before"),
        attributes_after=fields.attributes(told, "attributes_after"),
        cuda_allocations=fields.number(told, "cuda_allocations"),
    )


def _generator(one: fields.Fields) -> GeneratorSeen:
    path, kind, before, after = (fields.text(one, name) for name in ("path", "type", "before", "after"))
    return GeneratorSeen(path, kind, before, after, one.get("reseeded") is True)
