"""What was observed inside the processes that fetched data."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_torchloader.observed import AttributeSeen, Failure, Site


@dataclass(frozen=True)
class Worker:
    """A process that entered torch's worker loop, or died on the way there.

    `uss_bytes` is the memory that only this process holds, when it entered the loop; `uss_last_bytes` is the same
    after its last fetch that was looked at. `cv2_calls` are the functions of OpenCV that its `worker_init_fn` and its
    first fetches called. `had_cuda` says that CUDA was initialised when it entered the loop, and `cuda_allocations`
    how often memory of the GPU had been asked for by then.
    """

    pid: int
    worker: int | None
    passed: int | None
    has_reached_loop: bool
    has_left: bool
    fetches: int
    uss_bytes: int | None
    uss_last_bytes: int | None
    cv2_calls: frozenset[str]
    failure: Failure | None
    had_cuda: bool = False
    cuda_allocations: int = 0


@dataclass(frozen=True)
class GeneratorSeen:
    """A random generator within reach of a worker: hashes of its state around the first fetch of an epoch.

    `was_reseeded` says that the later state is no continuation of the earlier one.
    """

    path: str
    type: str
    before: str
    after: str
    was_reseeded: bool = False

    @property
    def was_drawn(self) -> bool:
        """Whether the fetch drew numbers from it."""
        return self.before != self.after

    @property
    def is_global(self) -> bool:
        """Whether it is the one that `random`, `numpy.random` or `torch` keeps for everybody, which torch seeds."""
        return self.path.startswith("global ")


@dataclass(frozen=True)
class HandleSeen:
    """A regular file that was open when the worker started; `was_read` if its position moved in a fetch."""

    path: str
    descriptor: int
    was_read: bool


@dataclass(frozen=True)
class GlobalSeen:
    """A global variable of the main program, or of the same file in a worker; `sites` are the lines that set it.

    `digest` tells values apart, and is "" for what is no plain value. Only the main program knows the lines.
    """

    pid: int
    name: str
    outline: str
    digest: str
    sites: tuple[Site, ...]


@dataclass(frozen=True)
class FirstFetch:
    """What a process looked like around its first fetch of an epoch.

    `passed` is the number of the iteration that it belongs to. `has_returned` is False if the fetch was entered and
    never left. `cv2_threads` is None where OpenCV is not imported. `worker` is None in the main process.
    """

    pid: int
    worker: int | None
    passed: int | None
    epoch: int
    has_returned: bool
    seconds: float
    threads: int
    cv2_threads: int | None
    uss_bytes: int | None
    has_cuda: bool
    cuda_bytes: int
    devices: frozenset[str]
    generators: tuple[GeneratorSeen, ...]
    attributes_before: tuple[AttributeSeen, ...]
    attributes_after: tuple[AttributeSeen, ...]
    cuda_allocations: int = 0


@dataclass(frozen=True)
class Sample:
    """One item that a dataset gave: a digest of its contents, and its index where the sampler gave one.

    `passed` is the number of the iteration that it belongs to, `epoch` counts the iterations that the process serves.
    """

    pid: int
    worker: int | None
    passed: int | None
    epoch: int
    index: str
    digest: str


@dataclass(frozen=True)
class Memory:
    """A process as seen from outside: memory that it holds alone (first and largest) and its most threads."""

    pid: int
    first_bytes: int
    peak_bytes: int
    threads: int


@dataclass(frozen=True)
class Stack:
    """Where a process stood when time was up: the user's lines, or all lines if none is the user's, outermost first."""

    pid: int
    lines: tuple[str, ...]
