"""TLD502 judges hand-written runs: samples that several workers gave."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_runs import WORKERS as PIDS
from test_judges import LINE, altered, judge, texts, well

from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Outcome, Reason
from flake8_torchloader.worker_seen import Sample

CODE = "TLD502"
METHODS = (Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
ALONE = None


def samples(worker: int | None, digests: str, passed: int = LINE) -> tuple[Sample, ...]:
    pid = PIDS[worker] if worker is not None else 1
    return tuple(Sample(pid, worker, passed, 0, "", digest) for digest in digests)


def runs(alone: str, first: str, second: str) -> dict[Trial, Run]:
    made = altered(well(), *METHODS, samples=samples(0, first) + samples(1, second))
    return altered(made, Trial.CONTROL, samples=samples(ALONE, alone))


def test_samples_that_two_workers_gave() -> None:
    said = texts(judge(CODE, runs("abcd", "abcd", "abce")))
    assert said == dict.fromkeys(METHODS, "3 of 5 samples came from 2 workers")


def test_each_worker_gave_its_own() -> None:
    assert judge(CODE, runs("abcd", "ac", "bd")).outcome is Outcome.REFUTED


def test_samples_that_are_alike_without_workers_say_nothing() -> None:
    assert judge(CODE, runs("aaaa", "aa", "aa")).outcome is Outcome.REFUTED


def test_one_worker_may_repeat_itself() -> None:
    assert judge(CODE, runs("abcd", "abab", "cd")).outcome is Outcome.REFUTED


def test_the_same_sample_in_two_epochs_is_no_repeat() -> None:
    made = altered(well(), *METHODS, samples=samples(0, "a") + samples(1, "a", passed=LINE + 1))
    assert judge(CODE, made).outcome is Outcome.REFUTED


def cut(made: dict[Trial, Run]) -> dict[Trial, Run]:
    """The same runs, as the cap leaves them."""
    return {t: replace(run, passes=tuple(replace(one, is_cut=True) for one in run.passes)) for t, run in made.items()}


def test_a_shuffled_stream_that_was_cut_rules_nothing_out() -> None:
    assert judge(CODE, cut(runs("abcd", "wx", "yz"))).reason is Reason.NOT_SHOWN


def test_one_that_was_cut_in_the_order_of_the_control_is_refuted() -> None:
    assert judge(CODE, cut(runs("abcd", "ac", "yz"))).outcome is Outcome.REFUTED


def test_one_that_came_to_its_end_is_refuted_whatever_it_gave() -> None:
    assert judge(CODE, runs("abcd", "wx", "yz")).outcome is Outcome.REFUTED


@pytest.mark.parametrize("trial", METHODS)
def test_no_claim_without_a_control(trial: Trial) -> None:
    assert judge(CODE, {trial: well()[trial]}).reason is Reason.NO_TRIAL
