"""Random numbers that come again, in another worker or in the next epoch, as runs of a program show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from flake8_torchloader.observed import Pass
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle
from flake8_torchloader.worker_seen import FirstFetch, GeneratorSeen

Start = tuple[str, str, str]
"""A generator in a certain state: its path, its type, and the hash of the state."""


def judge_streams(
    runs: Mapping[Trial, Run], trials: Sequence[Trial], suspect: Suspect, *, is_global: bool
) -> Verdict:
    """Say whether workers drew from generators that began in one and the same state.

    `is_global` asks for the generators that a library keeps for everybody, which torch seeds for each worker and each
    epoch; else for those of the program's own.
    """

    def harm(run: Run) -> str:
        passes = suspect.passes(run) or run.passes
        return _in_workers(run, passes, is_global=is_global) or _in_epochs(run, passes, is_global=is_global)

    return settle(runs, trials, harm, suspect.passes)


def _in_workers(run: Run, passes: Iterable[Pass], *, is_global: bool) -> str:
    """The generators from which several workers of one iteration drew the same numbers."""
    for one in passes:
        fetches = [fetch for fetch in run.first_fetches if fetch.passed == one.number]
        for start, users in _users(fetches, is_global=is_global).items():
            if len(users) > 1:
                return f"{len(users)} workers drew the same numbers from {_named(start)}"
    return ""


def _in_epochs(run: Run, passes: Iterable[Pass], *, is_global: bool) -> str:
    """The generators from which a worker drew the same numbers in several iterations over a loader."""
    by_loader: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for one in passes:
        by_loader[one.pid, one.loader].add(one.number)
    for numbers in by_loader.values():
        for worker in {fetch.worker for fetch in run.first_fetches if fetch.passed in numbers}:
            fetches = [f for f in run.first_fetches if f.passed in numbers and f.worker == worker]
            for start, users in _users(fetches, is_global=is_global).items():
                if len(users) > 1:
                    return f"worker {worker} drew the same numbers in {len(users)} epochs from {_named(start)}"
    return ""


def _users(fetches: Iterable[FirstFetch], *, is_global: bool) -> dict[Start, set[tuple[int, int]]]:
    """Who drew from a generator that began in a certain state: the process and the epoch of each fetch in a worker."""
    found: defaultdict[Start, set[tuple[int, int]]] = defaultdict(set)
    for fetch in fetches:
        for one in fetch.generators if fetch.worker is not None else ():
            if one.is_global is is_global and _is_drawn(one):
                found[one.path, one.type, one.before].add((fetch.pid, fetch.epoch))
    return found


def _is_drawn(one: GeneratorSeen) -> bool:
    """Whether numbers were drawn that follow from the state before."""
    return one.was_drawn and bool(one.before) and not one.was_reseeded


def _named(start: Start) -> str:
    path, kind, _ = start
    return f"{path} ({kind})"
