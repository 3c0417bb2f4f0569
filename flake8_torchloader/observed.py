"""What was observed while a program ran: small records, each of one thing that happened.

Files are absolute paths, lines start at 1, sizes are bytes and times are seconds, unless a name says otherwise.
A process is known by its number (`pid`); numbers are not reused within one run as far as we can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from textwrap import shorten

from flake8_torchloader.start_method import StartMethod

_LONGEST_HEADLINE = 300
_NO_CUDA = (
    "Torch not compiled with CUDA enabled", "No CUDA GPUs are available", "Found no NVIDIA driver on your system",
    "'torch._C' has no attribute '_cuda_", "requires CUDA support", "compiled without CUDA support",
    "Cannot get CUDA generator without", "Tried to instantiate dummy base class",
    "Attempting to deserialize object on a CUDA device", "no CUDA-capable device is detected",
    "Cannot access accelerator device when none is available", "no GPUs found",
)  # fmt: skip
"""What torch says to a program that needs a CUDA device where there is none."""


@dataclass(frozen=True)
class Site:
    """A line of the user's own code, and the function that it stands in (`<module>` at the top level)."""

    file: str
    line: int
    function: str = "<module>"

    def __str__(self) -> str:
        """`file:line`, as an editor can jump to it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Failure:
    """An exception: its qualified type, its text, and the user's lines it passed through, outermost first."""

    pid: int
    type: str
    text: str
    sites: tuple[Site, ...] = ()
    cause: str = ""

    @property
    def site(self) -> Site | None:
        """The innermost line of the user's own code, if the exception passed through any."""
        return self.sites[-1] if self.sites else None

    @property
    def headline(self) -> str:
        """The type and the first paragraph of the text on one line, without a traceback of another process."""
        name = self.type.rpartition(".")[2]
        paragraph = " ".join(self.text.strip().partition("\n\n")[0].partition("Original Traceback")[0].split())
        return f"{name}: {shorten(paragraph, _LONGEST_HEADLINE, placeholder=' ...')}" if paragraph else name

    @property
    def is_bootstrapping(self) -> bool:
        """A process tried to start processes while it was itself being started."""
        return self.type == "RuntimeError" and "bootstrapping phase" in self.text

    @property
    def is_for_lack_of_cuda(self) -> bool:
        """A CUDA device was needed, and there is none, or torch was built without CUDA."""
        return any(words in self.text for words in _NO_CUDA)

    def passes(self, file: str, line: int) -> bool:
        """Whether the exception went through this line."""
        return any(site.file == file and site.line == line for site in self.sites)


@dataclass(frozen=True)
class Execution:
    """One execution of the top level of a module of the user."""

    pid: int
    path: str


@dataclass(frozen=True)
class MainAgain:
    """The main module ran once more, in a process that was being started: what that cost, and whether it broke off.

    `failure` is also a plain `sys.exit`, which ends such a process before it is of any use. `has_cuda` says that CUDA
    was initialised there when it was over.
    """

    pid: int
    path: str
    seconds: float
    grown_bytes: int
    failure: Failure | None
    has_cuda: bool = False


@dataclass(frozen=True)
class CudaAsked:
    """A process asked whether there is a CUDA device, or was about to use one: the call, and the user's line."""

    pid: int
    call: str
    site: Site | None


@dataclass(frozen=True)
class LoaderBuilt:
    """A DataLoader was built; `workers` is what the program asked for, also where the trial forced 0.

    `sites` are the user's lines that led there from a top level, outermost first. `classes` are where those of the
    user's classes begin of which the dataset, or something that it holds, is an object.
    """

    number: int
    pid: int
    site: Site | None
    workers: int
    dataset: str
    context: StartMethod | None
    is_persistent: bool
    is_iterable: bool
    sites: tuple[Site, ...] = ()
    classes: tuple[Site, ...] = ()

    @property
    def way(self) -> tuple[Site, ...]:
        """The lines that built it: its site, and those that led there."""
        return (*self.sites, *([] if self.site is None else [self.site]))


@dataclass(frozen=True)
class LoaderRefused:
    """The arguments of a DataLoader were rejected by torch."""

    pid: int
    site: Site | None
    failure: Failure


@dataclass(frozen=True)
class ModelBuilt:
    """A `torch.nn.Module` was built while a top level ran: the lines that led there, outermost first."""

    pid: int
    sites: tuple[Site, ...]

    def passes(self, file: str, line: int) -> bool:
        """Whether this line led to it."""
        return any((site.file, site.line) == (file, line) for site in self.sites)


@dataclass(frozen=True)
class ModelHeld:
    """A global variable of a worker process that holds a model, and the bytes of its parameters and buffers."""

    pid: int
    name: str
    type: str
    parameter_bytes: int


class Unfit(Enum):
    """Why an object cannot be pickled, as far as its type tells."""

    LAMBDA = "lambda"
    LOCAL_FUNCTION = "local function"
    LOCAL_CLASS = "local class"
    OTHER = "other"


@dataclass(frozen=True)
class Unpicklable:
    """An object that could not be sent: the path that leads to it, e.g. `dataset.transform.transforms[2]`.

    `holders` are the lines that speak of an attribute on that path, by its name.
    """

    pid: int
    loader: int
    path: str
    unfit: Unfit
    type: str
    name: str
    definition: Site | None
    error: str
    holders: tuple[Site, ...] = ()


@dataclass(frozen=True)
class AttributeSeen:
    """The outline of an attribute of the dataset: its type with length or shape, its own bytes if known.

    `digest` tells contents apart, and is "" where taking it would have taken long.
    """

    name: str
    outline: str
    size: int | None
    digest: str


class Stage(Enum):
    """How far an iteration over a loader came."""

    ENTERED = "entered"
    STARTED = "started"
    BATCHED = "gave batches"
    ENDED = "ended"


@dataclass(frozen=True)
class Pass:
    """One iteration over a loader, from `iter(loader)` on.

    `workers` counts the processes that were really started (0 in the control), `start_method` is what they were
    started with. `is_cut` says that the cap ended the iteration before the data did.
    """

    number: int
    pid: int
    loader: int
    site: Site | None
    start_method: StartMethod | None
    pids: tuple[int, ...]
    stage: Stage
    start_seconds: float
    batches: int
    is_cut: bool
    had_cuda: bool
    payload_bytes: tuple[int, ...]
    failure: Failure | None
    exit_codes: tuple[int, ...]
    devices: frozenset[str]
    attributes: tuple[AttributeSeen, ...]

    @property
    def workers(self) -> int:
        """How many worker processes were started."""
        return len(self.pids)

    @property
    def has_worked(self) -> bool:
        """Whether worker processes gave at least one batch."""
        return bool(self.pids) and self.is_alive

    @property
    def is_alive(self) -> bool:
        """Whether it gave at least one batch."""
        return self.stage in (Stage.BATCHED, Stage.ENDED) and self.failure is None
