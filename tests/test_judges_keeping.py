"""What a dataset keeps: rules judge hand-written runs in which it could not be sent, or was shared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_runs import WORKERS as PIDS
from test_judges import AFRESH, FILE, LINE, Runs, altered, broken, failure, judge, loader, ran, texts, well, worker

from flake8_torchloader.observed import Site, Unfit, Unpicklable
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Ending, Trial
from flake8_torchloader.verdict import Outcome
from flake8_torchloader.worker_seen import HandleSeen

KEPT = 5
ERROR = "TypeError: cannot pickle '_thread.lock' object"

both = pytest.mark.parametrize("code", ("TLD203", "TLD204"))


def stuck(*lines: int, definition: int | None = None) -> Unpicklable:
    """An object under `dataset.kept` that can't be pickled; these lines speak of that attribute."""
    holders = tuple(Site(FILE, line) for line in lines)
    defined = None if definition is None else Site(FILE, definition)
    return Unpicklable(100, LINE, "dataset.kept", Unfit.OTHER, "lock", "", defined, ERROR, holders)


def unsent(culprit: Unpicklable) -> Runs:
    """The control notes what can't be sent, and the trials that send break."""
    crashed = {trial: ran(trial, Ending.CRASHED, broken(trial, failure("TypeError"))) for trial in AFRESH}
    runs = altered(well(Trial.CONTROL, Trial.FORK), Trial.CONTROL, unpicklable=(culprit,))
    return altered(runs | crashed, *AFRESH, unpicklable=(culprit,))


@both
def test_kept_things_are_confirmed_by_the_pickling_error_of_their_attribute(code: str) -> None:
    told = texts(judge(code, unsent(stuck(KEPT, 30)), KEPT))
    assert set(told) == set(AFRESH)
    assert told[Trial.SPAWN] == f"{ERROR} at dataset.kept"


@both
def test_another_attribute_that_can_not_be_sent_leaves_the_finding_open(code: str) -> None:
    assert judge(code, unsent(stuck(30)), KEPT).outcome is Outcome.UNKNOWN


@both
def test_a_line_of_the_finding_may_be_a_related_one(code: str) -> None:
    assert judge(code, unsent(stuck(30)), KEPT, 30).outcome is Outcome.CONFIRMED


@both
def test_an_object_whose_lines_are_not_known_may_be_the_one(code: str) -> None:
    assert judge(code, unsent(stuck()), KEPT).outcome is Outcome.CONFIRMED


@both
def test_the_definition_of_a_function_inside_is_enough(code: str) -> None:
    assert judge(code, unsent(stuck(30, definition=KEPT)), KEPT).outcome is Outcome.CONFIRMED


@both
def test_what_is_only_forked_need_not_be_sent(code: str) -> None:
    forked = (loader(context=StartMethod.FORK),)
    runs = altered(well(), Trial.CONTROL, unpicklable=(stuck(KEPT),), loaders=forked)
    assert judge(code, runs).outcome is Outcome.REFUTED


# TLD203: handles.


def with_handles(*seen: tuple[int, HandleSeen]) -> Runs:
    return altered(well(), Trial.FORK, handles=seen)


def test_203_confirmed_by_workers_that_read_a_file_of_their_parent() -> None:
    shared = HandleSeen("/data/train.bin", 7, was_read=True)
    told = texts(judge("TLD203", with_handles(*((pid, shared) for pid in PIDS))))
    assert told == {Trial.FORK: "2 workers read /data/train.bin through the parent's descriptor"}


def test_203_refuted_where_inherited_files_are_left_alone() -> None:
    log = HandleSeen("/tmp/log.txt", 3, was_read=False)
    assert judge("TLD203", with_handles((PIDS[0], log))).outcome is Outcome.REFUTED


def test_204_has_nothing_to_do_with_files() -> None:
    shared = HandleSeen("/data/train.bin", 7, was_read=True)
    assert judge("TLD204", with_handles((PIDS[0], shared))).outcome is Outcome.REFUTED


# TLD204: what only the worker stumbles over.


def dying(text: str) -> Runs:
    dead = tuple(replace(worker(pid), has_reached_loop=False, failure=failure("RuntimeError", text)) for pid in PIDS)
    exited = failure("RuntimeError", "DataLoader worker (pid(s) 101, 102) exited unexpectedly")
    crashed = {t: ran(t, Ending.CRASHED, broken(t, exited)) for t in AFRESH}
    return altered(well() | crashed, *AFRESH, workers=dead)


def test_204_confirmed_by_a_worker_that_dies_of_a_generator_of_torch() -> None:
    told = texts(judge("TLD204", dying("unable to resize file <filename not specified> to the right size")))
    assert told[Trial.SPAWN].startswith("a worker died while it started: RuntimeError: unable to resize file")


def test_204_open_where_workers_die_of_something_else() -> None:
    assert judge("TLD204", dying("out of memory")).outcome is Outcome.UNKNOWN
