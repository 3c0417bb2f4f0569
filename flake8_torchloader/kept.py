"""What a file says that its datasets keep, and should not: records, as in `module`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from flake8_torchloader.module import Site
from flake8_torchloader.start_method import ALL_METHODS, StartMethod


@dataclass(frozen=True, slots=True)
class Handle:
    """Something that a dataset opens when it is built, and keeps open: itself, or a part of it (`is_view`).

    `opened` is the call that opens it, `kept` the line that puts it on the dataset, and `methods` are the start methods
    that do harm to it. `loaders` are the loaders that are seen to send it.
    """

    site: Site
    source: str
    attribute: str
    is_view: bool
    opened: Site
    kept: Site
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()


class BoundKind(Enum):
    """What belongs to the process that made it."""

    THREADING = "lock, queue, thread or pool"
    GENERATOR = "generator"
    MODULE = "module"
    WRITER = "writer"
    CONNECTION = "connection"
    NATIVE = "object of native code"
    RANDOM = "random generator of torch"
    FACTORY = "factory without a name"


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that belongs to its process, kept by a dataset; `what` is how a message calls it.

    `made` is where it is made, `kept` the line that puts it on the dataset. `loaders` are the loaders that are seen to
    send it.
    """

    site: Site
    kind: BoundKind
    what: str
    attribute: str
    made: Site
    kept: Site
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()
