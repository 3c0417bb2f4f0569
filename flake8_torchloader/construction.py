"""What a file says that a loader is made of: its arguments, as exactly as they can be known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from flake8_torchloader.module import UNKNOWN, ZERO, Basis, Constant, Site, Value

FALSE, NONE = Value((False,), complete=True), Value((None,), complete=True)
DEFAULTS: Mapping[str, Value] = {
    "batch_size": Value((1,), complete=True), "shuffle": NONE, "sampler": NONE, "batch_sampler": NONE,
    "num_workers": ZERO, "drop_last": FALSE, "timeout": ZERO, "multiprocessing_context": NONE,
    "prefetch_factor": NONE, "persistent_workers": FALSE,
}  # fmt: skip
"""What torch takes where an argument is left out."""


class Kind(Enum):
    """What torch takes a dataset for, where the file tells."""

    UNKNOWN = "not known"
    ITERABLE = "an IterableDataset"
    PIPE = "an IterDataPipe, which may be shuffled"
    UNSIZED = "a Dataset without a length"


@dataclass(frozen=True, slots=True)
class Argument:
    """What a parameter gets; `is_object` where that is surely no constant. An argument that is left out has no site."""

    value: Value
    site: Site | None = None
    is_object: bool = False

    def always(self, test: Callable[[Constant], bool]) -> bool:
        """Whether it is known, and every constant that it may be passes a test."""
        return self.value.complete and all(test(constant) for constant in self.value.constants)

    @property
    def is_zero(self) -> bool:
        """Whether it is 0, whatever happens."""
        return self.always(lambda one: one == 0 and isinstance(one, (int, float)))

    @property
    def is_true(self) -> bool:
        """Whether it counts as true, whatever happens."""
        return self.always(bool)

    @property
    def is_given(self) -> bool:
        """Whether it is something other than None, whatever happens."""
        return self.is_object or self.always(lambda one: one is not None)


_UNSEEN = Argument(UNKNOWN)


@dataclass(frozen=True, slots=True)
class Construction:
    """One call that makes a loader of torch's own class, or of one that hands its arguments on to that.

    `is_open` tells that there may be arguments which are not seen; `set_later` has the attributes that are put on the
    loader once it is built; `reads_by` is the function by which the dataset reads a file for each item, if one is seen;
    `exceeds_cpus` tells that its workers are counted from the CPUs of the machine, and that there are more of them.
    """

    site: Site
    name: str
    given: Mapping[str, Argument] = field(default_factory=dict)
    is_open: bool = False
    dataset: Kind = Kind.UNKNOWN
    set_later: tuple[tuple[str, Site], ...] = ()
    reads_by: str = ""
    exceeds_cpus: bool = False

    def argument(self, name: str) -> Argument:
        """What a parameter gets, by torch's own default where it is left out."""
        left_out = _UNSEEN if self.is_open else Argument(DEFAULTS[name])
        return self.given.get(name, left_out)


def basis(*arguments: Argument) -> Basis:
    """The weakest ground that any of these stands on."""
    return max(argument.value.basis for argument in arguments)
