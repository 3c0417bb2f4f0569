"""The processes of a run, found through /proc, and their end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_LAST = ("multiprocessing.resource_tracker", "torch_shm_manager")
_GRACE_SECONDS = 2.0
_ROUNDS = 200
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it: its number, its parent's, and its state (`Z` is dead)."""

    pid: int
    parent: int
    state: str

    @property
    def is_dead(self) -> bool:
        """Whether it only waits to be collected by its parent."""
        return self.state in "ZX"


def read_process(pid: int) -> Process | None:
    """A process, or None if there is none with this number."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, parent = text.rpartition(")")[2].split()[:2]
    return Process(pid, int(parent), state)


def all_processes() -> list[Process]:
    """All processes that can be seen."""
    numbers = (int(name) for name in os.listdir(PROC) if name.isdigit())
    return [process for process in map(read_process, numbers) if process is not None]


def members(root: int, marker: str) -> list[Process]:
    """The processes below `root`, and those whose environment holds the marker, without `root` itself.

    While `root` adopts orphans, the tree alone is complete; the marker finds what outlived a `root` that was killed.
    """
    processes = all_processes()
    inside = {root}
    grown = True
    while grown:
        found = {one.pid for one in processes if one.parent in inside}
        grown = not found <= inside
        inside |= found
    others = (one for one in processes if one.pid not in (root, os.getpid()))
    return [one for one in others if one.pid in inside or _is_marked(one.pid, marker)]


def _is_marked(pid: int, marker: str) -> bool:
    try:
        return marker.encode() in (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False


def command(pid: int) -> str:
    """The command line of a process, "" if it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _goes_last(process: Process) -> bool:
    line = command(process.pid)
    return any(name in line for name in _LAST)


def send(pids: Iterable[int], number: signal.Signals | int) -> None:
    """Send a signal to each process that still exists."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def collect() -> None:
    """Take away dead children, own and adopted."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def end_all(root: int, marker: str) -> int:
    """End all processes of a run; how many were alive.

    They are stopped first, so that none can start others meanwhile, then killed. Those that remove shared memory and
    semaphores of dead processes are given a moment to do so, then killed as well.
    """
    seen = _freeze(root, marker)
    _kill(root, marker, spare_last=True)
    deadline = time.monotonic() + _GRACE_SECONDS
    while _alive(root, marker) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    _kill(root, marker, spare_last=False)
    return len(seen)


def _alive(root: int, marker: str) -> list[Process]:
    collect()
    return [process for process in members(root, marker) if not process.is_dead]


def _freeze(root: int, marker: str) -> set[int]:
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        fresh = {one.pid for one in _alive(root, marker) if not _goes_last(one)} - stopped
        if not fresh:
            break
        send(fresh, signal.SIGSTOP)
        stopped |= fresh
    return stopped


def _kill(root: int, marker: str, *, spare_last: bool) -> None:
    for _ in range(_ROUNDS):
        victims = [one.pid for one in _alive(root, marker) if not (spare_last and _goes_last(one))]
        if not victims:
            return
        send(victims, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)
