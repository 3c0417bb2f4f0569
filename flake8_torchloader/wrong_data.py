"""What makes workers give data that is wrong and looks right: frozen records of a `Module`."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_torchloader.finding import Site
from flake8_torchloader.start_method import ALL_METHODS, StartMethod


@dataclass(frozen=True, slots=True)
class Generator:
    """A random generator that is made before the workers start, and drawn from in worker code.

    `source` is the full name of what makes it, `name` what the file calls it, `draws` where workers draw. `loaders` are
    the loaders that are seen to send it.
    """

    site: Site
    source: str
    name: str
    draws: tuple[Site, ...]
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """An IterableDataset whose workers all go through the whole of its `source`, at the site where they do."""

    site: Site
    source: str
    dataset: str
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeding:
    """A `call` in a worker_init_fn that seeds all workers alike, or each epoch alike where `is_repeated`.

    `loaders` are the loaders that are given the function.
    """

    site: Site
    call: str
    function: str
    is_repeated: bool
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampler:
    """A DistributedSampler that shuffles, and that nobody tells the epoch in the `loop` over epochs of its `loader`."""

    site: Site
    name: str
    loader: str
    loop: Site
    loaders: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the parent that changes a dataset (`what`) of which the persistent workers of a loader have copies."""

    site: Site
    what: str
    loader: str
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()
