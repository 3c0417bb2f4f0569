"""What a file says about worker processes: frozen records that the rules question.

The reader fills them; nothing here knows how a source tree looks. Where a record stands is a
`Site`, which `Module.span` turns into lines and columns when a finding needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from math import inf
from typing import TYPE_CHECKING

from flake8_torchloader.finding import Site as Site
from flake8_torchloader.finding import Span
from flake8_torchloader.start_method import ALL_METHODS, StartMethod
from flake8_torchloader.wrong_data import Change, Generator, Sampler, Seeding, Stream

if TYPE_CHECKING:
    from flake8_torchloader.construction import Construction
    from flake8_torchloader.kept import Bound, Handle
    from flake8_torchloader.main_program import MainOnly, StartMethodSet

Constant = bool | int | float | str | None


class Place(Enum):
    """Where a line runs. A function reached from two places has both."""

    IMPORT = "every process that imports the file"
    GUARDED = "the parent only"
    WORKER = "the workers"
    BUILD = "the parent, while a dataset is built"


class Basis(IntEnum):
    """What a value rests on, the firmest first."""

    WRITTEN = 0
    """The file itself says so."""
    OPTION = 1
    """The default of an option, which the command line may replace."""
    FALLBACK = 2
    """What is taken where a configuration, which nobody has seen, says nothing."""


@dataclass(frozen=True, slots=True)
class Value:
    """The constants that an expression may have, whether these are all, and what that rests on.

    `most` is the number that it is never above, as in `min(x, 1)`, also where nothing else is known.
    """

    constants: tuple[Constant, ...] = ()
    complete: bool = False
    basis: Basis = Basis.WRITTEN
    most: float = inf

    @property
    def may_be_nonzero(self) -> bool:
        """Whether the expression may be anything but 0 or None: a known 0 may not, an unknown may."""
        return not self.complete or any(self.constants)

    @property
    def largest(self) -> float:
        """The largest number that the expression may be; without a bound where that isn't known."""
        numbers = [constant for constant in self.constants if isinstance(constant, (int, float))]
        are_all = self.complete and len(numbers) == len(self.constants)
        return min(self.most, max(numbers, default=inf)) if are_all else self.most

    @property
    def only(self) -> Constant:
        """The single constant that the expression is, or None where it is not known."""
        return self.constants[0] if self.complete and len(self.constants) == 1 else None


ZERO = Value((0,), complete=True)
UNKNOWN = Value()


@dataclass(frozen=True, slots=True)
class Use:
    """One place that iterates a loader, and where that line runs."""

    site: Site
    places: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Loader:
    """One construction of a loader; `name` is the variable it goes to, else its class."""

    site: Site
    name: str
    workers: Value
    places: frozenset[Place]
    uses: tuple[Use, ...] = ()
    methods: frozenset[StartMethod] = ALL_METHODS

    @property
    def has_workers(self) -> bool:
        """Whether the loader may start worker processes."""
        return self.workers.may_be_nonzero

    @property
    def iterated_at_import(self) -> tuple[Use, ...]:
        """The iterations that every process which imports the file would run."""
        return tuple(use for use in self.uses if Place.IMPORT in use.places)


class Pace(Enum):
    """How often a loop starts the workers of a loader again."""

    STEP = "for each batch"
    BUILT = "for each batch of another loader, as it is built there"
    EPOCH = "for each epoch"


@dataclass(frozen=True, slots=True)
class Restart:
    """A place in a loop at which the workers of a loader are started again, and the loader that it is about.

    `repeats` tells that the loader gives the same batch first each time.
    """

    site: Site
    loader: Site
    name: str
    workers: Value
    pace: Pace
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """One construction of a network, or the line that moves it to a device."""

    site: Site
    name: str
    places: frozenset[Place]


class Kind(Enum):
    """What cannot be pickled by name."""

    LAMBDA = "lambda"
    FUNCTION = "nested function"
    CLASS = "local class"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A callable or object that is sent to the workers, as what, and with which loader or dataset.

    `definition` is where a function or class is written; for a lambda that is the site itself. `loaders`
    are the loaders that are seen to send it.
    """

    kind: Kind
    site: Site
    name: str
    slot: str
    carrier: str
    methods: frozenset[StartMethod] = ALL_METHODS
    definition: Site | None = None
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    """Data that a dataset's `__init__` loads or makes whole and keeps; `size` in bytes if known.

    `loaders` are the loaders that are seen to send it, `definition` is where the class of the dataset begins.
    """

    site: Site
    source: str
    attribute: str
    dataset: str
    size: int | None
    workers: Value
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()
    definition: Site | None = None


class Written(Enum):
    """What worker code changes of a dataset."""

    CONTAINER = "what it collects"
    NUMBER = "what it counts"
    ITEM = "an item that it keeps"


@dataclass(frozen=True, slots=True)
class Write:
    """A line of worker code that changes what its dataset keeps; `loaders` are those that are seen to send that."""

    site: Site
    attribute: str
    dataset: str
    what: Written
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Objects:
    """Many Python objects that a dataset keeps and its workers read; `source` is what gives them."""

    site: Site
    source: str
    attribute: str
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something imported, by its full name, such as `cv2.resize`; `site` is None in another file.

    `through` is a module that can't be read and handed it on (`from utils.general import cv2`), if any. `inside` is the
    function of another file that makes the call, where this file calls that.
    """

    site: Site | None
    name: str
    places: frozenset[Place]
    argument: Value = UNKNOWN
    through: str = ""
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that the file sets."""

    site: Site
    name: str
    value: Value
    places: frozenset[Place]


@dataclass(frozen=True, slots=True)
class CudaUse:
    """A call that uses CUDA, such as `.to(device)`, in a program whose `loaders` have workers.

    `place` is WORKER where their workers run it, BUILD where they are sent what it put on the device, or IMPORT. If
    a line of another file does it, that is `at`, and `use` names the function there.
    """

    site: Site
    use: str
    place: Place
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()
    at: Site | None = None


def _nowhere(site: Site) -> Span:
    return Span(1, 0, 1, 0)


def _here(site: Site) -> None:
    return None


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Module:
    """All that one file says; `failure` tells why it could not be read.

    In a notebook all functions and classes are those of the main program, which workers don't run again.
    """

    loaders: tuple[Loader, ...] = ()
    models: tuple[Model, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    arrays: tuple[Array, ...] = ()
    handles: tuple[Handle, ...] = ()
    bound: tuple[Bound, ...] = ()
    main_only: tuple[MainOnly, ...] = ()
    start_methods: tuple[StartMethodSet, ...] = ()
    calls: tuple[Call, ...] = ()
    variables: tuple[Variable, ...] = ()
    generators: tuple[Generator, ...] = ()
    constructions: tuple[Construction, ...] = ()
    cuda: tuple[CudaUse, ...] = ()
    restarts: tuple[Restart, ...] = ()
    writes: tuple[Write, ...] = ()
    objects: tuple[Objects, ...] = ()
    streams: tuple[Stream, ...] = ()
    seedings: tuple[Seeding, ...] = ()
    samplers: tuple[Sampler, ...] = ()
    changes: tuple[Change, ...] = ()
    failure: str | None = None
    is_notebook: bool = False
    span: Callable[[Site], Span] = field(default=_nowhere, repr=False, compare=False)
    elsewhere: Callable[[Site], tuple[str, int] | None] = field(default=_here, repr=False, compare=False)
    forget: Callable[[], None] = field(default=_nothing, repr=False, compare=False)
