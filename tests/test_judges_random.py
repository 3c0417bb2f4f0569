"""Rules about random numbers judge hand-written runs: generators that begin equal, in which worker and which epoch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_runs import WORKERS as PIDS
from test_judges import LINE, Runs, altered, fetch, judge, texts, well

from flake8_torchloader.trial import Trial
from flake8_torchloader.verdict import Outcome, Reason
from flake8_torchloader.worker_seen import FirstFetch, GeneratorSeen

OWN = "TLD501"
METHODS = (Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)


def seen(before: str, after: str, path: str = "dataset.rng", *, was_reseeded: bool = False) -> GeneratorSeen:
    return GeneratorSeen(path, "Generator", before, after, was_reseeded)


def fetched(*generators: GeneratorSeen, pid: int = PIDS[0], worker: int | None = 0, passed: int = LINE) -> FirstFetch:
    return replace(fetch(pid, None), worker=worker, passed=passed, generators=generators)


def in_two_workers(one: GeneratorSeen, other: GeneratorSeen) -> Runs:
    fetches = (fetched(one), fetched(other, pid=PIDS[1], worker=1))
    return altered(well(), *METHODS, first_fetches=fetches)


def test_refuted_where_workers_worked_and_drew_from_nothing() -> None:
    verdict = judge(OWN, well())
    assert verdict.outcome is Outcome.REFUTED
    assert {one.trial for one in verdict.evidence} == set(METHODS)


def test_no_claim_without_a_control() -> None:
    assert judge(OWN, {Trial.FORK: well()[Trial.FORK]}).reason is Reason.NO_TRIAL


def test_two_workers_that_begin_equal() -> None:
    said = texts(judge(OWN, in_two_workers(seen("a", "b"), seen("a", "b"))))
    assert said == dict.fromkeys(METHODS, "2 workers drew the same numbers from dataset.rng (Generator)")


def test_equal_beginnings_count_though_the_workers_drew_more_or_less() -> None:
    assert judge(OWN, in_two_workers(seen("a", "b"), seen("a", "c"))).outcome is Outcome.CONFIRMED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (seen("a", "c"), seen("b", "d")),
        (seen("a", "a"), seen("a", "a")),
        (seen("", "c"), seen("", "d")),
        (seen("a", "c", was_reseeded=True), seen("a", "d", was_reseeded=True)),
        (seen("a", "b", "global numpy.random"), seen("a", "b", "global numpy.random")),
    ],
    ids=["other seeds", "not drawn from", "made in the worker", "seeded for each item", "seeded by torch"],
)
def test_what_is_no_shared_generator(one: GeneratorSeen, other: GeneratorSeen) -> None:
    assert judge(OWN, in_two_workers(one, other)).outcome is Outcome.REFUTED


def test_one_worker_that_begins_equal_in_two_epochs() -> None:
    runs = well()
    for trial in METHODS:
        first = runs[trial].passes[0]
        fetches = (fetched(seen("a", "b")), fetched(seen("a", "b"), pid=PIDS[1], passed=LINE + 1))
        again = replace(first, number=LINE + 1, pids=PIDS[1:])
        runs[trial] = replace(runs[trial], passes=(first, again), first_fetches=fetches)
    assert "worker 0 drew the same numbers in 2 epochs" in texts(judge(OWN, runs))[Trial.SPAWN]


def test_what_the_control_draws_says_nothing() -> None:
    alone = (fetched(seen("a", "b"), worker=None), fetched(seen("a", "b"), worker=None, passed=LINE + 1))
    assert judge(OWN, altered(well(), Trial.CONTROL, *METHODS, first_fetches=alone)).outcome is Outcome.REFUTED
