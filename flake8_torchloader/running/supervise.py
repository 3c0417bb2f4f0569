"""The supervisor of one run: a process of its own that starts the program, and ends it with all its offspring.

It adopts what the program's processes leave behind, so that nothing escapes by forking twice or by starting a session.
It ends everything when time is up, when the program has ended, or when its own controller is gone (which it sees by
the end of its stdin). Linux only.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from flake8_torchloader.running import tree
from flake8_torchloader.running.job import (
    EVENTS,
    MARKER,
    STACKS,
    STDERR,
    STDOUT,
    Job,
    Report,
)
from flake8_torchloader.running.output import Output
from flake8_torchloader.running.sampling import Sampler
from flake8_torchloader.running.stuck import is_stuck

_SET_CHILD_SUBREAPER = 36
_TICK_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_STACK_SECONDS = 0.3


def _adopt_orphans() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Supervision:
    """One program under supervision."""

    def __init__(self, run: Path, job: Job) -> None:
        """Prepare; nothing is started yet."""
        self._run, self._job = run, job
        self._marker = f"{MARKER}={run}"
        self._outputs = [Output(run / STDOUT), Output(run / STDERR)]
        self._sampler = Sampler()
        self._began = time.monotonic()
        self._looked = self._began

    def carry_out(self) -> Report:
        """Run the program to its end, or end it; nothing of it is alive afterwards."""
        try:
            program = self._start()
        except OSError as error:
            return Report(None, self._elapsed(), error=str(error))
        ended, stuck = self._watch(program)
        if not ended:
            self._ask_for_stacks()
        seconds = self._elapsed()
        survivors = tree.end_all(os.getpid(), self._marker)
        status = program.returncode if ended else None
        timed_out = not ended and not stuck
        return Report(status, seconds, timed_out, stuck, survivors, memory=self._sampler.seen)

    def _start(self) -> subprocess.Popen[bytes]:
        stdout, stderr = (output.open() for output in self._outputs)
        with stdout, stderr:
            return subprocess.Popen(
                self._job.command,
                cwd=self._job.cwd,
                env=self._job.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                restore_signals=True,
            )

    def _watch(self, program: subprocess.Popen[bytes]) -> tuple[bool, bool]:
        """Wait for the end of the program: whether it ended by itself, and whether it was found stuck."""
        while program.poll() is None:
            if self._elapsed() > self._job.seconds or _is_controller_gone():
                return False, False
            for output in self._outputs:
                output.bound()
            if time.monotonic() - self._looked > _LOOK_SECONDS:
                self._looked = time.monotonic()
                self._sampler.sample(tree.members(os.getpid(), self._marker))
                if is_stuck(self._run / EVENTS):
                    return False, True
        return True, False

    def _ask_for_stacks(self) -> None:
        """Let each process that listens write down where it stands; only those that do are asked."""
        listening = {int(name) for name in os.listdir(self._run / STACKS) if name.isdigit()}
        alive = {process.pid for process in tree.members(os.getpid(), self._marker) if not process.is_dead}
        tree.send(listening & alive, self._job.stack_signal)
        time.sleep(_STACK_SECONDS)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def _is_controller_gone() -> bool:
    """Wait a tick, and tell whether stdin has come to its end."""
    ready, _, _ = select.select([sys.stdin], [], [], _TICK_SECONDS)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def main(arguments: list[str]) -> int:
    """Supervise the job in the folder given; its report is written there."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _adopt_orphans()
    run = Path(arguments[0])
    Supervision(run, Job.load(run)).carry_out().save(run)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
