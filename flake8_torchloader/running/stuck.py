"""Telling a program that can never go on from one that takes its time.

With more to send to a spawned process than a pipe holds, the parent writes for ever if the process dies first: it holds
the reading end open itself. No timeout of a DataLoader helps, so one does not have to wait for ours either.
"""

from __future__ import annotations

import time
from pathlib import Path

from flake8_torchloader.running import tree
from flake8_torchloader.running.record import read_events
from flake8_torchloader.trial import Event

_QUIET_SECONDS = 3.0


def is_stuck(path: Path) -> bool:
    """Whether the main process is starting workers, one of them died with an exception, and nothing happens since."""
    if not path.exists() or time.time() - path.stat().st_mtime < _QUIET_SECONDS:
        return False
    events, _ = read_events(path)
    started = [event for event in events if event.kind == "process"]
    if not started or not _is_starting(events, started[0].pid):
        return False
    children = {event.pid for event in started if event.fields.get("parent") == started[0].pid}
    failed = {event.pid for event in events if event.kind == "uncaught"} & children
    return any(_is_gone(pid) for pid in failed)


def _is_starting(events: list[Event], main: int) -> bool:
    """Whether the last thing that the main process told is that it enters a loader."""
    told = [event.kind for event in events if event.pid == main and event.kind.startswith("pass_")]
    return bool(told) and told[-1] == "pass_entered"


def _is_gone(pid: int) -> bool:
    process = tree.read_process(pid)
    return process is None or process.is_dead
