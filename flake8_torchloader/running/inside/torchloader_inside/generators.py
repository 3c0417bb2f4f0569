"""The random generators of a process, told apart by their states, without drawing from them.

What is seeded anew between two looks is told from what was merely drawn from: where the algorithm doesn't show that
in the state itself, a copy of the generator is run on until it meets the later state.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from .probes import PLAIN, file_of, reachable
from .samples import tensor_bytes
from .sites import is_users

GLOBAL = "global "
"""What the path to a generator begins with that a library keeps for everybody."""

_WORDS = 624
_MOST_TWISTS = 1000
_MOST_GLOBALS = 200
_MOST_THINGS_OF_GLOBAL = 100


class State(NamedTuple):
    """A generator at one moment: its type, a hash of its state, and what seeding decides and drawing leaves alone.

    `words` are the words of a Mersenne twister and its position, which hold no such thing.
    """

    type: str
    digest: str
    stream: str
    words: tuple[int, ...]

    def is_reseeded_in(self, later: State) -> bool:
        """Whether the later state is another stream's, as far as that can be told."""
        if not self.words or not later.words:
            return self.stream != later.stream
        copy = random.Random()
        copy.setstate((3, self.words, None))
        for _ in range(_MOST_TWISTS):
            if copy.getstate()[1][:_WORDS] == later.words[:_WORDS]:
                return False
            copy.getrandbits(32 * _WORDS)
        return True


def states(dataset: Any, collate: Any) -> dict[str, State]:
    """The generators within reach of what was sent and of the user's global variables, and the libraries', by path."""
    found: dict[str, State] = {}
    for path, thing in _things(dataset, collate):
        state = _state(thing)
        if state is not None:
            found.setdefault(path, state)
    return found


def _things(dataset: Any, collate: Any) -> Iterator[tuple[str, Any]]:
    yield from reachable({"dataset": dataset, "collate_fn": collate})
    for path, value in _globals(type(dataset).__module__):
        yield from reachable({path: value}, most=_MOST_THINGS_OF_GLOBAL)
    yield f"{GLOBAL}random", getattr(random, "_inst", None)
    for name, path in (("numpy.random.mtrand", "_rand"), ("torch", "default_generator")):
        library = name.partition(".mtrand")[0]
        yield f"{GLOBAL}{library}", getattr(sys.modules.get(name), path, None)


def _globals(home: str) -> Iterator[tuple[str, Any]]:
    """What global variables of the user's modules hold; those of the dataset's own module by their name alone."""
    modules = [module for module in list(sys.modules.values()) if is_users(file_of(module))]
    for module in modules:
        prefix = "" if module.__name__ == home else f"{module.__name__}."
        values = list(vars(module).items())[:_MOST_GLOBALS]
        yield from ((prefix + name, value) for name, value in values if not isinstance(value, (*PLAIN, FunctionType)))


def _state(thing: Any) -> State | None:
    """The state of a generator; None for anything else."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    kind = type(thing).__name__
    if isinstance(thing, random.Random) and not isinstance(thing, random.SystemRandom):
        raw = thing.getstate()
        return State(kind, _hash(repr(raw).encode()), "", tuple(raw[1]))
    if numpy is not None and isinstance(thing, numpy.random.Generator):
        return _numpy_state(kind, thing.bit_generator.state)
    if numpy is not None and isinstance(thing, numpy.random.RandomState):
        return _numpy_state(kind, thing.get_state(legacy=False))
    if torch is not None and isinstance(thing, torch.Generator):
        return State(kind, _hash(tensor_bytes(thing.get_state())), str(thing.initial_seed()), ())
    return None


def _numpy_state(kind: str, raw: dict[str, Any]) -> State:
    inner = raw["state"]
    parts = [(name, bytes(part) if hasattr(part, "tobytes") else part) for name, part in sorted(inner.items())]
    digest = _hash(repr((parts, raw.get("has_gauss"), raw.get("gauss"), raw.get("uinteger"))).encode())
    if raw["bit_generator"] == "MT19937":
        return State(kind, digest, "", (*(int(word) for word in inner["key"]), int(inner["pos"])))
    fixed = [part for name, part in parts if name in ("inc", "key")]
    return State(kind, digest, _hash(repr(fixed).encode()), ())


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=6).hexdigest()
