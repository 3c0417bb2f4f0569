"""The folder of a run, turned into the one record that rules judge."""

from __future__ import annotations

import os
from pathlib import Path

from flake8_torchloader.observed import Failure
from flake8_torchloader.running import facts, fetching, fields
from flake8_torchloader.running.job import EVENTS, STACKS, STDERR, Report
from flake8_torchloader.running.output import read_output
from flake8_torchloader.running.passes import passes, served
from flake8_torchloader.running.record import read_events
from flake8_torchloader.trial import Ending, Event, Run, Trial
from flake8_torchloader.worker_seen import Memory

_MOST_TEXT = 8_000


def gather(folder: Path, trial: Trial, report: Report) -> Run:
    """Put together what the processes wrote and what their supervisor saw; missing parts stay empty."""
    events, unreadable = read_events(folder / EVENTS)
    main = next((event.pid for event in facts.of_kind(events, "process")), 0)
    crash, child_failures = _uncaught(events, main)
    entered = passes(events)
    serving = served(entered)
    return Run(
        trial=trial,
        ending=_ending(events, report, crash),
        status=report.status,
        seconds=report.seconds,
        main=main,
        versions=facts.versions(events),
        crash=crash,
        child_failures=child_failures,
        executions=facts.executions(events),
        main_again=facts.main_again(events),
        models=facts.models(events),
        models_held=facts.models_held(events),
        loaders=facts.loaders(events),
        refused=facts.refused(events),
        passes=entered,
        unpicklable=facts.unpicklable(events),
        workers=fetching.workers(events, entered, main),
        first_fetches=fetching.first_fetches(events, serving),
        samples=facts.samples(events, serving),
        handles=facts.handles(events),
        globals=facts.globals_seen(events),
        memory=tuple(Memory(int(pid), *seen) for pid, seen in (report.memory or {}).items()),
        stacks=facts.stacks(folder / STACKS),
        unsent=tuple(fields.text(event.fields, "error") for event in facts.of_kind(events, "unsent")),
        blocked=facts.blocked(events),
        cuda_asked=facts.cuda_asked(events),
        arguments_error=next((fields.text(e.fields, "message") for e in facts.of_kind(events, "needs_arguments")), ""),
        text=read_output(folder / STDERR)[-_MOST_TEXT:],
        survivors=report.survivors,
        events=tuple(events),
        unreadable_lines=unreadable,
        failed_probes=tuple(_failed_probe(event.fields) for event in facts.of_kind(events, "probe_failed")),
        cpus=os.cpu_count() or 1,
        error=report.error,
    )


def _failed_probe(found: fields.Fields) -> str:
    return f"{fields.text(found, 'probe')}: {fields.text(found, 'error')}"


def _uncaught(events: list[Event], main: int) -> tuple[Failure | None, tuple[Failure, ...]]:
    """What ended the main process, and what ended others, as far as it was an exception."""
    found = [fields.failure(event.fields, event.pid) for event in facts.of_kind(events, "uncaught")]
    crash = next((failure for failure in found if failure.pid == main), None)
    return crash, tuple(failure for failure in found if failure.pid != main)


def _ending(events: list[Event], report: Report, crash: Failure | None) -> Ending:
    """How it ended; a program that only stumbled over the end of a loop that we cut short counts as capped."""
    if report.error:
        return Ending.NOT_STARTED
    if report.stuck:
        return Ending.STUCK
    if report.status is None:
        return Ending.TIMED_OUT
    if any(facts.of_kind(events, "capped")) or crash is not None and _is_of_our_making(events, crash):
        return Ending.CAPPED
    if report.status < 0:
        return Ending.KILLED
    if report.status == 0:
        return Ending.FINISHED
    return Ending.CRASHED if crash is not None else Ending.EXITED


def _is_of_our_making(events: list[Event], crash: Failure) -> bool:
    """Whether a program fell over the end of a loop that the cap cut short."""
    was_cut = any(event.fields.get("cut") is True for event in facts.of_kind(events, "pass_ended"))
    return was_cut and "StopIteration" in f"{crash.type} {crash.text}"
