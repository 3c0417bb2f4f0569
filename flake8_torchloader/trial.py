"""A trial of a program, and what the run of it showed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from flake8_torchloader.observed import (
    CudaAsked,
    Execution,
    Failure,
    LoaderBuilt,
    LoaderRefused,
    MainAgain,
    ModelBuilt,
    ModelHeld,
    Pass,
    Site,
    Unpicklable,
)
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.worker_seen import (
    FirstFetch,
    GlobalSeen,
    HandleSeen,
    Memory,
    Sample,
    Stack,
    Worker,
)


class Trial(Enum):
    """One way of running a program.

    CONTROL loads everything in the process that iterates (0 workers). FORK, FORKSERVER and SPAWN make that start method
    the default. REIMPORT starts one process that runs the script's top level again as a spawned worker would, with
    0 workers, so that a loader that breaks it does not hide those that come after.
    """

    CONTROL = "control"
    FORK = "fork"
    FORKSERVER = "forkserver"
    SPAWN = "spawn"
    REIMPORT = "reimport"

    @property
    def start_method(self) -> StartMethod | None:
        """The start method under trial, None where no workers are started."""
        return StartMethod(self.value) if self in _WITH_WORKERS else None

    @classmethod
    def of(cls, method: StartMethod) -> Trial:
        """The trial of a start method."""
        return cls(method.value)


_WITH_WORKERS = (Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)


class Ending(Enum):
    """How a run ended."""

    FINISHED = "finished"
    CAPPED = "stopped after enough batches"
    CRASHED = "crashed"
    EXITED = "left with an error status"
    KILLED = "killed by a signal"
    TIMED_OUT = "timed out"
    STUCK = "waits for ever for a worker that died while it started"
    NOT_STARTED = "could not be started"


@dataclass(frozen=True)
class Event:
    """One line of the record: what happened in which process, seconds after the run began; the rest by name."""

    kind: str
    pid: int
    seconds: float
    fields: Mapping[str, object]


@dataclass(frozen=True)
class Versions:
    """What the program ran with; "" and 0 where it was not found out."""

    python: str = ""
    torch: str = ""
    cuda: str = ""
    cuda_devices: int = 0


@dataclass(frozen=True)
class Blocked:
    """Something the wall refused: the call, what it was about, and the flag that allows it."""

    pid: int
    call: str
    target: str
    flag: str
    site: Site | None


@dataclass(frozen=True)
class Run:
    """What one run of a program under one trial showed.

    `main` is the number of the first process, 0 if none reported; `status` its exit status, negative for a signal, None
    if it had to be killed. `crash` is what ended the main process, `child_failures` what nobody caught in others.
    `error` says why the program could not be started.
    `text` is the end of what the program printed on stderr. `survivors` counts processes that had to be killed.
    """

    trial: Trial
    ending: Ending
    status: int | None
    seconds: float
    main: int
    versions: Versions
    crash: Failure | None
    child_failures: tuple[Failure, ...]
    executions: tuple[Execution, ...]
    main_again: tuple[MainAgain, ...]
    models: tuple[ModelBuilt, ...]
    models_held: tuple[ModelHeld, ...]
    loaders: tuple[LoaderBuilt, ...]
    refused: tuple[LoaderRefused, ...]
    passes: tuple[Pass, ...]
    unpicklable: tuple[Unpicklable, ...]
    workers: tuple[Worker, ...]
    first_fetches: tuple[FirstFetch, ...]
    samples: tuple[Sample, ...]
    handles: tuple[tuple[int, HandleSeen], ...]
    globals: tuple[GlobalSeen, ...]
    memory: tuple[Memory, ...]
    stacks: tuple[Stack, ...]
    unsent: tuple[str, ...]
    blocked: tuple[Blocked, ...]
    cuda_asked: tuple[CudaAsked, ...]
    arguments_error: str
    text: str
    survivors: int
    events: tuple[Event, ...]
    unreadable_lines: int
    failed_probes: tuple[str, ...]
    cpus: int
    error: str = ""

    @property
    def is_watched(self) -> bool:
        """Whether the recorder was there: without it an empty run says nothing."""
        return self.main != 0

    def loader(self, number: int, pid: int) -> LoaderBuilt | None:
        """The loader with this number in this process."""
        return next((loader for loader in self.loaders if (loader.number, loader.pid) == (number, pid)), None)

    def loaders_at(self, file: str, line: int) -> tuple[LoaderBuilt, ...]:
        """All loaders that were built by a line, or by what it called, in any process."""
        return tuple(one for one in self.loaders if any((site.file, site.line) == (file, line) for site in one.way))

    def passes_over(self, file: str, line: int) -> tuple[Pass, ...]:
        """All iterations over loaders that were built by a line, in any process."""
        keys = {(loader.number, loader.pid) for loader in self.loaders_at(file, line)}
        return tuple(one for one in self.passes if (one.loader, one.pid) in keys)

    def passes_from(self, file: str, line: int) -> tuple[Pass, ...]:
        """All iterations that began on a line, in any process."""
        return tuple(one for one in self.passes if one.site and (one.site.file, one.site.line) == (file, line))

    def again(self, pids: Collection[int]) -> tuple[MainAgain, ...]:
        """What running the main module once more came to in these processes."""
        return tuple(one for one in self.main_again if one.pid in pids)

    @property
    def has_chosen_fork(self) -> bool:
        """Whether the program made fork the start method of its own accord: loaders that name none are forked."""
        free = (one for one in self.passes if one.workers and self._context(one) is None)
        return self.trial is not Trial.FORK and any(one.start_method is StartMethod.FORK for one in free)

    def _context(self, one: Pass) -> StartMethod | None:
        loader = self.loader(one.loader, one.pid)
        return None if loader is None else loader.context
