"""What torch rejects when a loader is built or iterated, as torch 2.4 to 2.13 do, in the order in which they look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flake8_torchloader.construction import Argument, Construction, Kind, basis
from flake8_torchloader.module import Basis, Constant

_METHODS = ("fork", "spawn", "forkserver")
_ITERABLE = (Kind.ITERABLE, Kind.PIPE)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Arguments that torch rejects: the parameters they belong to, first the one to blame, and how torch says so.

    `said` is what the text of torch's exception begins with.
    """

    parameters: tuple[str, ...]
    happens: Callable[[Construction], bool]
    what: str
    error: str
    said: str
    instead: str

    def of(self, loader: Construction) -> tuple[Argument, ...]:
        """The arguments that are concerned."""
        return tuple(loader.argument(name) for name in self.parameters)


def _one(name: str, test: Callable[[Argument], bool]) -> Callable[[Construction], bool]:
    return lambda loader: test(loader.argument(name))


def _number(test: Callable[[float], bool]) -> Callable[[Argument], bool]:
    return lambda argument: argument.always(lambda one: isinstance(one, (int, float)) and test(one))


def _without_workers(name: str, test: Callable[[Argument], bool]) -> Callable[[Construction], bool]:
    return lambda loader: test(loader.argument(name)) and loader.argument("num_workers").is_zero


def _iterable_with(name: str) -> Callable[[Construction], bool]:
    return lambda loader: loader.dataset in _ITERABLE and loader.argument(name).is_given


def _beside_batch_sampler(name: str, test: Callable[[Argument], bool]) -> Callable[[Construction], bool]:
    return lambda loader: loader.argument("batch_sampler").is_given and test(loader.argument(name))


def _when_batching(name: str, test: Callable[[Constant], bool]) -> Callable[[Construction], bool]:
    """Whether an argument fails a test that torch makes only where it puts batches together itself."""

    def happens(loader: Construction) -> bool:
        makes_batches = loader.argument("batch_sampler").always(_is_none) and loader.argument("batch_size").is_given
        return makes_batches and loader.argument(name).always(test)

    return happens


def _is_none(constant: Constant) -> bool:
    return constant is None


def _is_no_size(constant: Constant) -> bool:
    return not isinstance(constant, int) or isinstance(constant, bool) or constant <= 0


def _is_no_bool(constant: Constant) -> bool:
    return not isinstance(constant, bool)


def _is_broken_number(constant: Constant) -> bool:
    return isinstance(constant, float) and constant != 0


def _is_no_number(argument: Argument) -> bool:
    return argument.always(lambda one: one is None or isinstance(one, str))


def _is_no_method(argument: Argument) -> bool:
    return argument.always(lambda one: isinstance(one, str) and one not in _METHODS)


def _true(argument: Argument) -> bool:
    return argument.is_true


def _given(argument: Argument) -> bool:
    return argument.is_given


_BATCH_SAMPLER = "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
_ITERABLE_SAID = "DataLoader with IterableDataset: expected unspecified"
_ASSEMBLE = "batch_sampler makes the batches: leave {} out"

REJECTIONS = (
    Rejection(
        ("num_workers",), _one("num_workers", _is_no_number),
        "num_workers, which is no number", "TypeError", "'<' not supported between", "write 0 for no workers",
    ),
    Rejection(
        ("num_workers",), _one("num_workers", _number(lambda one: one < 0)),
        "a negative num_workers", "ValueError", "num_workers option should be non-negative", "write 0 for no workers",
    ),
    Rejection(
        ("timeout",), _one("timeout", _number(lambda one: one < 0)),
        "a negative timeout", "ValueError", "timeout option should be non-negative", "write 0 for no limit",
    ),
    Rejection(
        ("prefetch_factor", "num_workers"), _without_workers("prefetch_factor", _given),
        "prefetch_factor without workers", "ValueError", "prefetch_factor option could only be specified in multiproc",
        "write None where num_workers is 0",
    ),
    Rejection(
        ("prefetch_factor",), _one("prefetch_factor", _number(lambda one: one < 0)),
        "a negative prefetch_factor", "ValueError", "prefetch_factor option", "leave it out",
    ),
    Rejection(
        ("persistent_workers", "num_workers"), _without_workers("persistent_workers", _true),
        "persistent_workers without workers", "ValueError", "persistent_workers option needs num_workers > 0",
        "write persistent_workers=num_workers > 0",
    ),
    Rejection(
        ("multiprocessing_context", "num_workers"), _without_workers("multiprocessing_context", _given),
        "multiprocessing_context without workers", "ValueError", "multiprocessing_context can only be used with",
        "write None where num_workers is 0",
    ),
    Rejection(
        ("multiprocessing_context",), _one("multiprocessing_context", _is_no_method),
        "a multiprocessing_context that is no start method", "ValueError", "multiprocessing_context ",
        "write fork, spawn or forkserver",
    ),
    Rejection(
        ("shuffle",), lambda loader: loader.dataset is Kind.ITERABLE and loader.argument("shuffle").is_true,
        "an IterableDataset and shuffle", "ValueError", f"{_ITERABLE_SAID} shuffle option",
        "shuffle in the dataset's __iter__",
    ),
    Rejection(
        ("sampler",), _iterable_with("sampler"),
        "an IterableDataset and a sampler", "ValueError", f"{_ITERABLE_SAID} sampler option",
        "select in the dataset's __iter__",
    ),
    Rejection(
        ("batch_sampler",), _iterable_with("batch_sampler"),
        "an IterableDataset and a batch_sampler", "ValueError", f"{_ITERABLE_SAID} batch_sampler option",
        "let the dataset give batches, with batch_size=None",
    ),
    Rejection(
        ("shuffle", "sampler"),
        lambda loader: loader.argument("sampler").is_given and loader.argument("shuffle").is_true,
        "a sampler and shuffle", "ValueError", "sampler option is mutually exclusive with shuffle",
        "the sampler decides the order: leave shuffle out",
    ),
    Rejection(
        ("batch_size", "batch_sampler"), _beside_batch_sampler("batch_size", lambda one: one.always(lambda n: n != 1)),
        "a batch_sampler and batch_size", "ValueError", _BATCH_SAMPLER, _ASSEMBLE.format("batch_size"),
    ),
    Rejection(
        ("shuffle", "batch_sampler"), _beside_batch_sampler("shuffle", _true),
        "a batch_sampler and shuffle", "ValueError", _BATCH_SAMPLER, _ASSEMBLE.format("shuffle"),
    ),
    Rejection(
        ("sampler", "batch_sampler"), _beside_batch_sampler("sampler", _given),
        "a batch_sampler and a sampler", "ValueError", _BATCH_SAMPLER, _ASSEMBLE.format("sampler"),
    ),
    Rejection(
        ("drop_last", "batch_sampler"), _beside_batch_sampler("drop_last", _true),
        "a batch_sampler and drop_last", "ValueError", _BATCH_SAMPLER, _ASSEMBLE.format("drop_last"),
    ),
    Rejection(
        ("drop_last", "batch_size"),
        lambda loader: loader.argument("batch_size").always(_is_none) and loader.argument("drop_last").is_true,
        "batch_size=None and drop_last", "ValueError", "batch_size=None option disables auto-batching",
        "leave drop_last out: no batches are made",
    ),
    Rejection(
        ("shuffle",), lambda loader: loader.dataset is Kind.UNSIZED and loader.argument("shuffle").is_true,
        "shuffle and a dataset without __len__", "TypeError", "object of type ", "give the dataset a __len__",
    ),
    Rejection(
        ("batch_size",), _when_batching("batch_size", _is_no_size),
        "a batch_size that is no whole number above 0", "ValueError", "batch_size should be a positive integer value",
        "write None for no batches",
    ),
    Rejection(
        ("drop_last",), _when_batching("drop_last", _is_no_bool),
        "a drop_last that is no bool", "ValueError", "drop_last should be a boolean value", "write True or False",
    ),
    Rejection(
        ("timeout", "num_workers"), _without_workers("timeout", _number(lambda one: one > 0)),
        "a timeout without workers", "AssertionError", "_SingleProcessDataLoaderIter requires timeout == 0",
        "write 0 where num_workers is 0",
    ),
    Rejection(
        ("prefetch_factor",), _one("prefetch_factor", lambda factor: factor.is_zero),
        "a prefetch_factor of 0", "AssertionError", "prefetch_factor must be greater than 0", "leave it out",
    ),
    Rejection(
        ("num_workers",), _one("num_workers", lambda one: one.always(_is_broken_number)),
        "a num_workers with a fraction", "TypeError", "'float' object cannot be interpreted as an integer",
        "write a whole number",
    ),
)  # fmt: skip
"""Every combination, in torch's order: where several apply, the first is what torch complains about."""


FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
"""What can't be set once a loader is built, in any version."""

FIXED_SAID = "attribute should not be set after"
"""What torch says of those, after the name."""


def rejections(loader: Construction) -> Iterator[Rejection]:
    """What torch rejects of a loader; nothing that rests on a configuration which nobody has seen."""
    for rejection in REJECTIONS:
        if rejection.happens(loader) and basis(*rejection.of(loader)) is not Basis.FALLBACK:
            yield rejection
