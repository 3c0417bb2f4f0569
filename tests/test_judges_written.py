"""TLD504 and TLD302 judge hand-written runs: what fetches did to a dataset, and what it cost the workers."""

from __future__ import annotations

import pytest
from made_runs import MAIN, WORKERS, made_pass, made_run

from flake8_torchloader.observed import AttributeSeen, LoaderBuilt, Site
from flake8_torchloader.rules import all_rules
from flake8_torchloader.settings import Settings
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect
from flake8_torchloader.worker_seen import FirstFetch, Worker

FILE, LINE = "/home/me/data.py", 12
(RULE,) = (rule(Settings()) for rule in all_rules() if rule.code == "TLD504")


def seen(outline: str, digest: str = "", name: str = "cache") -> AttributeSeen:
    return AttributeSeen(name, outline, None, digest)


def fetch(before: AttributeSeen, after: AttributeSeen, worker: int | None = 0) -> FirstFetch:
    """A first fetch, by a worker or by the process that iterates, with an attribute as it was before and after."""
    pid = MAIN if worker is None else WORKERS[worker]
    return FirstFetch(
        pid, worker, 1, 0, True, 0.1, 1, None, 1, False, 0, frozenset(), (), (before,), (after,)
    )  # fmt: skip


def runs(*fetches: FirstFetch) -> dict[Trial, Run]:
    """A control and a run with workers in which these fetches were seen."""
    loader = LoaderBuilt(1, MAIN, Site(FILE, 30), 2, "data.Scans", None, is_persistent=False, is_iterable=False)
    return {
        trial: made_run(trial, loaders=(loader,), passes=(made_pass(trial),), first_fetches=fetches)
        for trial in (Trial.CONTROL, Trial.FORK)
    }


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (seen("dict[0]"), seen("dict[4]"), "cache: dict[0] became dict[4]"),
        (seen("int 0"), seen("int 4"), "cache: int 0 became int 4"),
        (seen("list[16]", "a"), seen("list[16]", "b"), "cache: contents changed"),
    ],
)
def test_what_a_worker_changed_is_confirmed(before: AttributeSeen, after: AttributeSeen, said: str) -> None:
    verdict = RULE.judge(runs(fetch(before, after)), Suspect(FILE, LINE))

    assert verdict.outcome is Outcome.CONFIRMED
    assert verdict.evidence[0].text == f"{said} in a worker; the parent's stays as it was"


@pytest.mark.parametrize(
    "one",
    [
        fetch(seen("dict[0]"), seen("dict[4]"), worker=None),
        fetch(seen("dict[4]", "a"), seen("dict[4]", "a")),
        fetch(seen("NoneType None"), seen("BufferedReader")),
        fetch(seen("list[2]", "a"), seen("list[2]")),
        fetch(seen("dict[0]", name="other"), seen("dict[4]")),
    ],
    ids=["the control", "nothing", "opened when needed", "without a digest", "new"],
)
def test_other_changes_are_none(one: FirstFetch) -> None:
    assert RULE.judge(runs(one), Suspect(FILE, LINE)).outcome is Outcome.REFUTED


def test_nothing_is_said_without_runs() -> None:
    assert RULE.judge({}, Suspect(FILE, LINE)).reason is Reason.NO_TRIAL


# TLD302

(HOARDING,) = (rule(Settings()) for rule in all_rules() if rule.code == "TLD302")
MANY, FEW = AttributeSeen("rows", "list[200000]", None, ""), AttributeSeen("rows", "list[200]", None, "")
MEBIBYTE = 1024 * 1024


def hoard(attribute: AttributeSeen, grown: int = 0, sent: tuple[int, ...] = ()) -> dict[Trial, Run]:
    """Runs in which a dataset kept this attribute, a worker grew by so many bytes, or was sent so many."""
    loader = LoaderBuilt(1, MAIN, Site(FILE, 30), 2, "data.Rows", None, is_persistent=False, is_iterable=False)
    worker = Worker(WORKERS[0], 0, 1, True, True, 2, 10 * MEBIBYTE, 10 * MEBIBYTE + grown, frozenset(), None)
    return {
        trial: made_run(
            trial,
            loaders=(loader,),
            passes=(made_pass(trial, attributes=(attribute,), payload_bytes=sent),),
            workers=(worker,),
        )
        for trial in (Trial.CONTROL, Trial.FORK)
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (hoard(MANY, grown=30 * MEBIBYTE), "a worker grew by 30 MiB: rows (list[200000])"),
        (hoard(MANY, sent=(2 * MEBIBYTE, MEBIBYTE)), "2 workers x 2 MiB pickled: rows (list[200000])"),
    ],
    ids=["grown", "sent"],
)
def test_what_a_large_container_cost_a_worker_is_confirmed(found: dict[Trial, Run], said: str) -> None:
    verdict = HOARDING.judge(found, Suspect(FILE, LINE))

    assert (verdict.outcome, verdict.evidence[0].text) == (Outcome.CONFIRMED, said)


@pytest.mark.parametrize(
    "found",
    [hoard(FEW, grown=30 * MEBIBYTE), hoard(MANY, grown=MEBIBYTE), hoard(MANY, sent=(1000, 1000))],
    ids=["few objects", "hardly grown", "hardly sent"],
)
def test_what_costs_little_is_refuted(found: dict[Trial, Run]) -> None:
    assert HOARDING.judge(found, Suspect(FILE, LINE)).outcome is Outcome.REFUTED
