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
