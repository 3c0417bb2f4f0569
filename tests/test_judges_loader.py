"""The rules about the loader itself judge hand-written runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_runs import MAIN, made_pass, made_run

from flake8_torchloader.observed import Failure, LoaderBuilt, LoaderRefused, Pass, Site, Stage
from flake8_torchloader.rules import all_rules
from flake8_torchloader.settings import Settings
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict
from flake8_torchloader.worker_seen import Sample

FILE, LINE, LOOP = "/home/me/train.py", 10, 20
RULES = {rule.code: rule(Settings()) for rule in all_rules()}
WITH_WORKERS = (Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
PERSISTENT = "persistent_workers option needs num_workers > 0"
TIMEOUT = "_SingleProcessDataLoaderIter requires timeout == 0"

Runs = dict[Trial, Run]


def loader(number: int = 1, line: int = LINE, workers: int = 2) -> LoaderBuilt:
    return LoaderBuilt(number, MAIN, Site(FILE, line), workers, "range", None, is_persistent=False, is_iterable=False)


def runs(*passes: Pass, **given: object) -> Runs:
    """A control in which all went well, and runs with workers in which this happened."""
    control = made_run(Trial.CONTROL, loaders=(loader(),), passes=(made_pass(Trial.CONTROL),))
    changed = {"loaders": (loader(),), **given}
    return {Trial.CONTROL: control} | {
        trial: made_run(trial, passes=tuple(_under(trial, one) for one in passes), **changed) for trial in WITH_WORKERS
    }


def _under(trial: Trial, one: Pass) -> Pass:
    return replace(one, start_method=trial.start_method)


def passed(number: int = 1, of: int = 1, **given: object) -> Pass:
    """An iteration with workers of its own over one of the loaders."""
    pids = (100 + 10 * number, 101 + 10 * number)
    return made_pass(Trial.FORK, **{"number": number, "loader": of, "pids": pids, "site": Site(FILE, LOOP), **given})


def judge(code: str, found: Runs, line: int = LINE, *related: int) -> Verdict:
    return RULES[code].judge(found, Suspect(FILE, line, related))


def failure(text: str, line: int = LINE, kind: str = "ValueError") -> Failure:
    return Failure(MAIN, kind, text, (Site(FILE, line),))


# TLD701


def test_a_loader_that_torch_refuses_is_confirmed_in_its_words() -> None:
    how = failure(PERSISTENT)
    refused = LoaderRefused(MAIN, Site(FILE, LINE), how)
    verdict = judge("TLD701", runs(refused=(refused,), loaders=(), crash=how, ending=Ending.CRASHED), LINE + 1, LINE)

    assert verdict.outcome is Outcome.CONFIRMED
    assert {one.trial for one in verdict.evidence} == set(WITH_WORKERS)
    assert verdict.evidence[0].text == f"ValueError: {PERSISTENT}"


def test_a_refusal_that_the_program_gets_over_is_no_harm() -> None:
    refused = LoaderRefused(MAIN, Site(FILE, LINE), failure(PERSISTENT))

    assert judge("TLD701", runs(passed(), refused=(refused,))).outcome is Outcome.REFUTED


def test_a_loader_that_is_refused_when_it_is_iterated() -> None:
    how = failure(TIMEOUT, LOOP, "AssertionError")
    started = passed(stage=Stage.ENTERED, batches=0, pids=(), failure=how)
    verdict = judge("TLD701", runs(started, crash=how, ending=Ending.CRASHED))

    assert verdict.outcome is Outcome.CONFIRMED
    assert verdict.evidence[0].text == f"AssertionError: {TIMEOUT}"


def test_what_is_set_on_a_loader_too_late() -> None:
    how = failure("batch_size attribute should not be set after DataLoader is initialized", LINE + 5)

    assert judge("TLD701", runs(passed(), crash=how, ending=Ending.CRASHED), LINE + 5).outcome is Outcome.CONFIRMED


@pytest.mark.parametrize("how", [failure("the model does not fit"), failure(PERSISTENT, LINE + 50)])
def test_other_failures_are_not_taken_for_a_refusal(how: Failure) -> None:
    verdict = judge("TLD701", runs(crash=how, ending=Ending.CRASHED, loaders=()))

    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.CRASHED)


# TLD702 and TLD903


def left(number: int, of: int = 1, line: int = LOOP) -> Pass:
    """An iteration that gave one batch and was left."""
    return passed(number, of, stage=Stage.BATCHED, batches=1, start_seconds=0.5, site=Site(FILE, line))


def first_samples(*digests: str) -> tuple[Sample, ...]:
    """What the first worker of each iteration fetched first."""
    return tuple(
        Sample(100 + 10 * number, 0, number, 0, "0", digest) for number, digest in enumerate(digests, start=1)
    )


def test_iterations_that_are_left_after_one_batch_are_confirmed() -> None:
    verdict = judge("TLD702", runs(left(1), left(2), left(3), samples=first_samples("a", "a", "a")), LOOP, LINE)

    assert verdict.outcome is Outcome.CONFIRMED
    assert verdict.evidence[0].text == (
        "6 workers started in 3 turns for 3 batches, the same first batch each time (1.5 s to start)"
    )


def test_first_batches_that_differ_are_told_apart() -> None:
    verdict = judge("TLD702", runs(left(1), left(2), samples=first_samples("a", "b")), LOOP, LINE)

    assert verdict.evidence[0].text == "4 workers started in 2 turns for 2 batches (1.0 s to start)"


def test_workers_that_live_on_are_not_restarted() -> None:
    same = replace(left(2), pids=left(1).pids)

    assert judge("TLD702", runs(left(1), same), LOOP, LINE).outcome is Outcome.REFUTED
    assert judge("TLD903", runs(passed(1), replace(passed(2), pids=passed(1).pids))).outcome is Outcome.REFUTED


def test_epochs_are_no_steps() -> None:
    epochs = runs(passed(1), passed(2))

    assert judge("TLD702", epochs, LOOP, LINE).outcome is Outcome.REFUTED
    assert judge("TLD903", epochs).evidence[0].text == "4 workers started in 2 turns for 8 batches (0.2 s to start)"


def test_loaders_of_folds_are_each_begun_once() -> None:
    loaders = (loader(1), loader(2))

    assert judge("TLD702", runs(left(1), left(2, of=2), loaders=loaders)).outcome is Outcome.REFUTED
    assert judge("TLD903", runs(passed(1), passed(2, of=2), loaders=loaders)).outcome is Outcome.REFUTED


def test_loaders_that_are_built_while_another_is_gone_through() -> None:
    loaders = (loader(1, LINE - 1), loader(2), loader(3))
    outer = passed(1, of=1, batches=2, stage=Stage.BATCHED)
    verdict = judge("TLD702", runs(outer, passed(2, of=2), passed(3, of=3), loaders=loaders))

    assert verdict.outcome is Outcome.CONFIRMED
    assert judge("TLD702", runs(passed(2, of=2), passed(3, of=3), loaders=loaders[1:])).outcome is Outcome.REFUTED


@pytest.mark.parametrize("code", ["TLD702", "TLD903"])
def test_a_loader_that_never_came_to_a_batch_proves_nothing(code: str) -> None:
    assert judge(code, runs(loaders=())).reason is Reason.NEVER_REACHED
    assert judge(code, {}).reason is Reason.NO_TRIAL


# TLD901 and TLD902


@pytest.mark.parametrize(("workers", "outcome"), [(0, Outcome.CONFIRMED), (2, Outcome.REFUTED)])
def test_batches_without_workers(workers: int, outcome: Outcome) -> None:
    control = made_run(
        Trial.CONTROL, loaders=(loader(workers=workers),), passes=(made_pass(Trial.CONTROL, site=Site(FILE, LOOP)),)
    )

    assert judge("TLD901", {Trial.CONTROL: control}).outcome is outcome
    assert judge("TLD901", {Trial.CONTROL: control}, LINE + 1).reason is Reason.NEVER_REACHED
    assert judge("TLD901", {}).reason is Reason.NO_TRIAL


@pytest.mark.parametrize(("workers", "outcome"), [(3, Outcome.CONFIRMED), (2, Outcome.REFUTED)])
def test_workers_are_held_against_cpus(workers: int, outcome: Outcome) -> None:
    control = made_run(Trial.CONTROL, loaders=(loader(workers=workers),), cpus=2)
    verdict = judge("TLD902", {Trial.CONTROL: control})

    assert (verdict.outcome, verdict.evidence[0].text) == (outcome, f"{workers} workers asked for, 2 CPUs")
    assert judge("TLD902", {Trial.CONTROL: control}, LINE + 1).reason is Reason.NEVER_REACHED
    assert judge("TLD902", {}).reason is Reason.NO_TRIAL
