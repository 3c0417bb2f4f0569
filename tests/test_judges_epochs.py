"""TLD503 and TLD505 judge hand-written runs: what changed, or did not change, from one epoch to the next."""

from __future__ import annotations

from dataclasses import replace

from made_runs import WORKERS as PIDS
from test_judges import LINE, judge, texts, well
from test_judges_random import fetched

from flake8_torchloader.observed import AttributeSeen
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Outcome
from flake8_torchloader.worker_seen import Sample

CHANGE, SAMPLER = "TLD503", "TLD505"
METHODS = (Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
SECOND = LINE + 1


def epoch(number: int) -> tuple[AttributeSeen, ...]:
    return (AttributeSeen("epoch", f"int {number}", None, ""),)


def two_epochs(parent: tuple[int, int], worker: tuple[int, int], *, persistent: bool = True) -> dict[Trial, Run]:
    """Runs of two epochs, and the number that the parent and the first worker had on the dataset in each."""
    runs = well()
    for trial in METHODS:
        first = replace(runs[trial].passes[0], attributes=epoch(parent[0]))
        pids = first.pids if persistent else tuple(pid + 10 for pid in first.pids)
        second = replace(first, number=SECOND, pids=pids, attributes=epoch(parent[1]))
        fetches = (
            replace(fetched(), attributes_before=epoch(worker[0])),
            replace(fetched(passed=SECOND), pid=pids[0], attributes_before=epoch(worker[1])),
        )
        runs[trial] = replace(runs[trial], passes=(first, second), first_fetches=fetches)
    return runs


def test_a_change_that_a_persistent_worker_does_not_have() -> None:
    said = texts(judge(CHANGE, two_epochs(parent=(0, 1), worker=(0, 0))))
    assert said == dict.fromkeys(METHODS, "dataset.epoch is int 1 in the parent and int 0 in its workers")


def test_a_change_that_arrived() -> None:
    assert judge(CHANGE, two_epochs(parent=(0, 1), worker=(0, 1))).outcome is Outcome.REFUTED


def test_nothing_was_changed() -> None:
    assert judge(CHANGE, two_epochs(parent=(0, 0), worker=(0, 0))).outcome is Outcome.REFUTED


def test_what_a_worker_changes_itself_is_no_change_of_the_parent() -> None:
    assert judge(CHANGE, two_epochs(parent=(0, 0), worker=(0, 5))).outcome is Outcome.REFUTED


def test_workers_that_are_new_are_not_asked() -> None:
    assert judge(CHANGE, two_epochs(parent=(0, 1), worker=(0, 0), persistent=False)).outcome is Outcome.REFUTED


def orders(first: str, second: str) -> dict[Trial, Run]:
    """Runs of two epochs in which one worker was given these indices in turn."""
    runs = well(Trial.CONTROL, Trial.FORK)
    for trial, run in runs.items():
        again = replace(run.passes[0], number=SECOND)
        worker = 0 if trial is Trial.FORK else None
        given = [(LINE, index) for index in first] + [(SECOND, index) for index in second]
        samples = tuple(Sample(PIDS[0], worker, passed, 0, index, "") for passed, index in given)
        runs[trial] = replace(run, passes=(*run.passes, again), samples=samples)
    return runs


def test_two_epochs_in_one_shuffled_order() -> None:
    said = texts(judge(SAMPLER, orders("3142", "3142")))
    assert said == {Trial.FORK: "2 epochs began with the indices 3, 1, 4, 2"}


def test_another_order_in_the_second_epoch() -> None:
    assert judge(SAMPLER, orders("3142", "2413")).outcome is Outcome.REFUTED


def test_an_order_that_is_not_shuffled_may_stay() -> None:
    assert judge(SAMPLER, orders("1357", "1357")).outcome is Outcome.REFUTED


def test_one_epoch_alone_says_nothing() -> None:
    assert judge(SAMPLER, orders("3142", "")).outcome is Outcome.REFUTED
