"""Iterations over loaders, put together from the events that tell of them."""

from __future__ import annotations

from flake8_torchloader.observed import Failure, Pass, Stage
from flake8_torchloader.running import fields
from flake8_torchloader.trial import Event

_STAGES = {
    "pass_entered": Stage.ENTERED,
    "pass_started": Stage.STARTED,
    "batch": Stage.BATCHED,
    "pass_ended": Stage.ENDED,
}
_KINDS = (*_STAGES, "pass_failed")


def passes(events: list[Event]) -> tuple[Pass, ...]:
    """All iterations, in the order in which they were entered."""
    told: dict[tuple[int, int], list[Event]] = {}
    latest: dict[int, tuple[int, int]] = {}
    for event in events:
        if event.kind == "payload" and event.pid in latest:
            told[latest[event.pid]].append(event)
            continue
        number = event.fields.get("pass")
        if event.kind not in _KINDS or not isinstance(number, int):
            continue
        key = event.pid, number
        told.setdefault(key, []).append(event)
        if event.kind == "pass_entered":
            latest[event.pid] = key
    return tuple(_pass(pid, number, found) for (pid, number), found in told.items())


def served(passes: tuple[Pass, ...]) -> dict[int, list[int]]:
    """For each worker process the iterations that it works for, in order: several if workers are persistent."""
    found: dict[int, list[int]] = {}
    for one in passes:
        for pid in one.pids:
            found.setdefault(pid, []).append(one.number)
    return found


def number_of(event: Event, serving: dict[int, list[int]]) -> int | None:
    """The iteration that an event of a fetch belongs to: told by itself, or known from the worker and its epoch."""
    own, epoch = fields.maybe(event.fields, "pass"), fields.number(event.fields, "epoch")
    numbers = serving.get(event.pid, [])
    return own if own is not None else numbers[epoch] if 0 <= epoch < len(numbers) else None


def _pass(pid: int, number: int, told: list[Event]) -> Pass:
    by_kind = {event.kind: event.fields for event in told}
    entered, started = by_kind.get("pass_entered", {}), by_kind.get("pass_started", {})
    failed, ended = by_kind.get("pass_failed"), by_kind.get("pass_ended", {})
    return Pass(
        number=number,
        pid=pid,
        loader=fields.number(entered, "loader", -1),
        site=fields.site(entered.get("site")),
        start_method=fields.method(entered, "method"),
        pids=fields.integers(started, "pids"),
        stage=_stage(told),
        start_seconds=fields.real(started, "seconds"),
        batches=sum(event.kind == "batch" for event in told),
        is_cut=ended.get("cut") is True,
        had_cuda=entered.get("cuda") is True,
        payload_bytes=tuple(fields.number(event.fields, "bytes") for event in told if event.kind == "payload"),
        failure=_failure(failed, pid),
        exit_codes=fields.integers(failed or {}, "exit_codes"),
        devices=frozenset(name for event in told for name in fields.strings(event.fields, "devices")),
        attributes=fields.attributes(entered, "attributes"),
    )


def _failure(failed: fields.Fields | None, pid: int) -> Failure | None:
    return None if failed is None else fields.failure(failed.get("failure"), pid)


def _stage(told: list[Event]) -> Stage:
    kinds = [_STAGES[event.kind] for event in told if event.kind in _STAGES]
    order = list(Stage)
    return max(kinds, key=order.index, default=Stage.ENTERED)
