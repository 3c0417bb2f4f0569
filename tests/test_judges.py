"""Rules judge hand-written runs: what confirms a finding, what refutes it, and why nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from made_runs import MAIN, made_pass, made_run
from made_runs import WORKERS as PIDS

from flake8_torchloader.observed import (
    AttributeSeen,
    Failure,
    LoaderBuilt,
    MainAgain,
    ModelBuilt,
    ModelHeld,
    Pass,
    Site,
    Stage,
    Unfit,
    Unpicklable,
)
from flake8_torchloader.rules import all_rules
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict
from flake8_torchloader.worker_seen import FirstFetch, Stack, Worker

FILE = "/home/me/train.py"
LINE, LOOP = 10, 20
MEGABYTE = 1_000_000
AFRESH = (Trial.FORKSERVER, Trial.SPAWN)
BOOTSTRAPPING = "An attempt has been made to start a new process before ... its bootstrapping phase."
RULES = {rule.code: rule(Settings()) for rule in all_rules()}
PICKLING = ("TLD101", "TLD102", "TLD103", "TLD201", "TLD202", "TLD203", "TLD204", "TLD301")
OPENCV = ("TLD401", "TLD402")

every_rule = pytest.mark.parametrize("code", PICKLING + OPENCV)
Runs = dict[Trial, Run]


def failure(kind: str, text: str = "", line: int = LOOP, pid: int = MAIN) -> Failure:
    return Failure(pid, kind, text, (Site(FILE, line),))


def loader(line: int = LINE, workers: int = 2, pid: int = MAIN, context: StartMethod | None = None) -> LoaderBuilt:
    return LoaderBuilt(line, pid, Site(FILE, line), workers, "list", context, is_persistent=False, is_iterable=False)


def passed(trial: Trial, line: int = LINE, pid: int = MAIN) -> Pass:
    """An iteration over the loader of a line that gave its batches."""
    payload = (1000,) * len(PIDS) if trial in AFRESH else ()
    return made_pass(trial, number=line, pid=pid, loader=line, site=Site(FILE, LOOP), payload_bytes=payload)


def broken(trial: Trial, how: Failure | None, line: int = LINE, pid: int = MAIN) -> Pass:
    """An iteration that came to no batch; its workers were not even started if nothing is said to have gone wrong."""
    pids = PIDS if how is not None and pid == MAIN else ()
    return replace(passed(trial, line, pid), stage=Stage.ENTERED, batches=0, failure=how, pids=pids)


def ran(trial: Trial, ending: Ending = Ending.FINISHED, *passes: Pass, loaders: tuple[LoaderBuilt, ...] = ()) -> Run:
    """What is left of a run in which nothing but these iterations happened."""
    return made_run(trial, ending=ending, passes=passes, loaders=loaders or (loader(),), cpus=8)


def worker(pid: int, *calls: str, how: Failure | None = None) -> Worker:
    return Worker(pid, 0, LINE, how is None, True, 1, 1, 1, frozenset(calls), how)


def fetch(pid: int, threads: int | None, *, returned: bool = True) -> FirstFetch:
    nothing: tuple[()] = ()
    return FirstFetch(
        pid, 0, LINE, 0, returned, 0.1, 1, threads, 1, False, 0, frozenset(), nothing, nothing, nothing
    )  # fmt: skip


def well(*trials: Trial) -> Runs:
    """Runs in which everything went well; those of all trials with workers and the control if none are named."""
    chosen = trials or (Trial.CONTROL, Trial.FORK, *AFRESH)
    return {trial: ran(trial, Ending.FINISHED, passed(trial)) for trial in chosen}


def altered(runs: Runs, *trials: Trial, **changes: object) -> Runs:
    """The same runs, some of them with other parts."""
    return {trial: run if trial not in trials else _with(run, changes) for trial, run in runs.items()}


def _with(run: Run, changes: Mapping[str, object]) -> Run:
    return replace(run, **changes)  # type: ignore[arg-type]


def judge(code: str, runs: Mapping[Trial, Run], line: int = LINE, *related: int) -> Verdict:
    return RULES[code].judge(runs, Suspect(FILE, line, related))


def texts(verdict: Verdict) -> dict[Trial, str]:
    """The evidence of a confirmed finding."""
    assert verdict.outcome is Outcome.CONFIRMED, verdict
    return {one.trial: one.text for one in verdict.evidence}


# What holds for every rule.


@every_rule
def test_refuted_where_workers_worked_and_nothing_happened(code: str) -> None:
    verdict = judge(code, well())
    assert verdict.outcome is Outcome.REFUTED
    assert {one.trial for one in verdict.evidence} == set(RULES[code].trials) - {Trial.CONTROL, Trial.REIMPORT}
    assert "2 workers, started by spawn, gave 4 batches" in verdict.evidence[-1].text


@every_rule
@pytest.mark.parametrize("trials", [(), (Trial.CONTROL,), AFRESH, (Trial.CONTROL, Trial.REIMPORT)])
def test_no_claim_without_a_control_and_a_start_method(code: str, trials: tuple[Trial, ...]) -> None:
    runs = {trial: run for trial, run in well(*trials or (Trial.SPAWN,)).items() if trial in trials}
    assert judge(code, runs).reason is Reason.NO_TRIAL


@every_rule
@pytest.mark.parametrize("method", StartMethod)
def test_only_the_start_methods_asked_for_count(code: str, method: StartMethod) -> None:
    verdict = judge(code, well(Trial.CONTROL, Trial.of(method)))
    if Trial.of(method) in RULES[code].trials:
        assert verdict.outcome is Outcome.REFUTED and [one.trial for one in verdict.evidence] == [Trial.of(method)]
    else:
        assert verdict.reason is Reason.NO_TRIAL


@every_rule
def test_no_torch(code: str) -> None:
    lacking = failure("ModuleNotFoundError", "No module named 'torch'")
    runs = {trial: replace(ran(trial, Ending.CRASHED), crash=lacking, loaders=()) for trial in well()}
    assert judge(code, runs).reason is Reason.NO_TORCH


@every_rule
def test_an_empty_record(code: str) -> None:
    runs = {trial: replace(ran(trial), main=0, loaders=()) for trial in well()}
    assert judge(code, runs).reason is Reason.NOT_WATCHED


@every_rule
def test_lines_that_could_not_be_read_change_nothing(code: str) -> None:
    assert judge(code, altered(well(), *well(), unreadable_lines=7)).outcome is Outcome.REFUTED


@every_rule
def test_a_control_that_crashes_as_well(code: str) -> None:
    wrong = failure("ZeroDivisionError", "division by zero")
    runs = {t: replace(ran(t, Ending.CRASHED, broken(t, wrong)), crash=wrong) for t in well()}
    assert judge(code, runs).reason is Reason.CONTROL_CRASHED


@every_rule
def test_a_crash_before_the_loader(code: str) -> None:
    wrong = failure("FileNotFoundError", "No such file: 'data.csv'")
    runs = {trial: replace(ran(trial, Ending.CRASHED), crash=wrong, loaders=()) for trial in well()}
    assert judge(code, runs).reason is Reason.MISSING_FILE


@every_rule
def test_a_hang_before_the_loader(code: str) -> None:
    assert judge(code, {trial: ran(trial, Ending.TIMED_OUT) for trial in well()}).reason is Reason.TIMED_OUT


@every_rule
def test_a_hang_under_one_start_method_leaves_the_finding_open(code: str) -> None:
    runs = altered(well(), Trial.SPAWN, ending=Ending.TIMED_OUT, passes=(broken(Trial.SPAWN, None),))
    assert judge(code, runs).reason is Reason.TIMED_OUT


@every_rule
@pytest.mark.parametrize("ending", [Ending.FINISHED, Ending.TIMED_OUT])
def test_a_loader_without_workers(code: str, ending: Ending) -> None:
    alone = replace(passed(Trial.CONTROL))
    runs = {trial: ran(trial, ending, alone, loaders=(loader(workers=0),)) for trial in well()}
    assert judge(code, runs).reason is Reason.NO_WORKERS


@every_rule
def test_a_loader_that_is_never_iterated(code: str) -> None:
    assert judge(code, {trial: ran(trial) for trial in well()}).reason is Reason.NEVER_REACHED


def test_what_can_not_be_read_can_not_be_run() -> None:
    assert judge("TLD000", well()).reason is Reason.NOTHING_TO_RUN
    assert RULES["TLD000"].trials == ()


# TLD101: a loader that is iterated at import.


def iterated_again(trial: Trial) -> Run:
    """A run in which each worker broke over the loader of line 10 while it imported the file."""
    again = [broken(trial, failure("RuntimeError", BOOTSTRAPPING, pid=pid), pid=pid) for pid in PIDS]
    own = broken(trial, failure("RuntimeError", "DataLoader worker (pid(s) 101, 102) exited unexpectedly"))
    loaders = tuple(loader(pid=pid) for pid in (MAIN, *PIDS))
    return ran(trial, Ending.CRASHED, own, *again, loaders=loaders)


def test_101_confirmed_by_the_bootstrapping_error() -> None:
    told = texts(judge("TLD101", well() | {trial: iterated_again(trial) for trial in AFRESH}))
    assert set(told) == set(AFRESH)
    assert told[Trial.SPAWN].startswith("RuntimeError: An attempt") and f"{FILE}:{LOOP}" in told[Trial.SPAWN]


def test_101_confirmed_by_one_start_method_asked_for() -> None:
    runs = {Trial.CONTROL: ran(Trial.CONTROL), Trial.SPAWN: iterated_again(Trial.SPAWN)}
    assert set(texts(judge("TLD101", runs))) == {Trial.SPAWN}


def test_101_confirmed_by_a_start_that_never_ends() -> None:
    again = MainAgain(PIDS[0], FILE, 1.0, 0, failure("RuntimeError", BOOTSTRAPPING, pid=PIDS[0]))
    stuck = replace(ran(Trial.SPAWN, Ending.STUCK, broken(Trial.SPAWN, None)), main_again=(again,))
    assert "waits for ever" in texts(judge("TLD101", well() | {Trial.SPAWN: stuck}))[Trial.SPAWN]


def test_101_confirmed_by_workers_that_leave_because_they_are_not_main() -> None:
    again = tuple(MainAgain(pid, FILE, 1.0, 0, failure("SystemExit", "no script", 3, pid)) for pid in PIDS)
    own = broken(Trial.SPAWN, failure("RuntimeError", "DataLoader worker exited unexpectedly"))
    left = replace(ran(Trial.SPAWN, Ending.CRASHED, own), main_again=again)
    told = texts(judge("TLD101", well() | {Trial.SPAWN: left}))[Trial.SPAWN]
    assert "SystemExit: no script" in told and f"{FILE}:3" in told


def test_101_not_confirmed_by_workers_that_die_of_something_else() -> None:
    own = broken(Trial.SPAWN, failure("RuntimeError", "DataLoader worker is killed by signal: Killed"))
    crash = replace(ran(Trial.SPAWN, Ending.CRASHED, own), crash=own.failure)
    assert judge("TLD101", well() | {Trial.SPAWN: crash}).reason is Reason.CRASHED


def reimported(*, context: StartMethod | None = None) -> Run:
    """Line 30 builds and iterates a loader that other processes never came to."""
    loaders = (loader(30, pid=PIDS[0], context=context),)
    return ran(Trial.REIMPORT, Ending.FINISHED, passed(Trial.REIMPORT, 30, pid=PIDS[0]), loaders=loaders)


def test_101_a_loader_behind_one_that_breaks_is_judged_by_importing_again() -> None:
    runs = well() | {trial: iterated_again(trial) for trial in AFRESH}
    assert judge("TLD101", runs, 30).outcome is Outcome.UNKNOWN
    assert set(texts(judge("TLD101", runs | {Trial.REIMPORT: reimported()}, 30))) == {Trial.REIMPORT}
    forked = reimported(context=StartMethod.FORK)
    assert judge("TLD101", runs | {Trial.REIMPORT: forked}, 30).outcome is Outcome.UNKNOWN


def test_101_importing_again_says_nothing_of_a_program_that_chose_fork() -> None:
    chosen = {trial: ran(trial, Ending.FINISHED, passed(Trial.FORK)) for trial in AFRESH}
    runs = well() | chosen | {Trial.REIMPORT: reimported()}
    assert judge("TLD101", runs, 30).outcome is Outcome.UNKNOWN
    assert judge("TLD101", runs).outcome is Outcome.REFUTED


# TLD102 and TLD103: what is built at import.

COST = tuple(MainAgain(pid, FILE, 1.5, 100 << 20, None) for pid in PIDS)


def test_102_confirmed_by_loaders_of_workers_with_what_it_cost() -> None:
    rebuilt = tuple(loader(pid=pid) for pid in (MAIN, *PIDS))
    runs = altered(well(), *AFRESH, loaders=rebuilt, main_again=COST)
    told = texts(judge("TLD102", runs))
    assert set(told) == set(AFRESH)
    assert "2 other processes" in told[Trial.SPAWN] and "3.0 s and 200 MiB" in told[Trial.SPAWN]
    assert "torch included" in told[Trial.SPAWN]


def test_102_a_loader_without_workers_of_its_own_is_another_matter() -> None:
    rebuilt = (loader(30), *(loader(workers=0, pid=pid) for pid in (MAIN, *PIDS)))
    assert judge("TLD102", altered(well(), *AFRESH, loaders=rebuilt)).outcome is not Outcome.CONFIRMED


def test_102_confirmed_by_importing_again_where_no_worker_was_started() -> None:
    runs = {trial: ran(trial) for trial in well()}
    runs[Trial.REIMPORT] = ran(Trial.REIMPORT, loaders=(loader(pid=PIDS[0]),))
    assert set(texts(judge("TLD102", runs))) == {Trial.REIMPORT}


def test_103_confirmed_by_models_of_workers_with_their_parameters() -> None:
    sites = (Site(FILE, LINE), Site(FILE, 4, "build"))
    models = tuple(ModelBuilt(pid, sites) for pid in (MAIN, *PIDS))
    held = tuple(ModelHeld(pid, "model", "Net", 4 << 20) for pid in PIDS)
    runs = altered(well(), *AFRESH, models=models, models_held=held, main_again=COST)
    for line in (LINE, 4):
        assert "8 MiB of parameters" in texts(judge("TLD103", runs, line))[Trial.SPAWN]
    assert judge("TLD103", runs, 30).reason is Reason.NEVER_REACHED
    guarded = altered(runs, *AFRESH, models=(*models, ModelBuilt(MAIN, (Site(FILE, 30),))))
    assert judge("TLD103", guarded, 30).outcome is Outcome.REFUTED


def test_103_importing_again_says_nothing_of_a_program_without_workers() -> None:
    models = (ModelBuilt(PIDS[0], (Site(FILE, LINE),)),)
    runs = {trial: ran(trial) for trial in well()} | {Trial.REIMPORT: replace(ran(Trial.REIMPORT), models=models)}
    assert set(texts(judge("TLD103", runs))) == {Trial.REIMPORT}
    assert judge("TLD103", altered(runs, Trial.CONTROL, loaders=(loader(workers=0),))).outcome is Outcome.UNKNOWN


# TLD201 and TLD202: what can't be sent.


def unpicklable(unfit: Unfit, line: int | None, of_loader: int = LINE) -> Unpicklable:
    where = Site(FILE, line) if line is not None else None
    error = "AttributeError: Can't pickle local object 'main.<locals>.<lambda>'"
    return Unpicklable(MAIN, of_loader, "dataset.transform.transforms[2]", unfit, "function", "x", where, error)


def unsent(*culprits: Unpicklable) -> Runs:
    """Runs of a program whose workers can't be started because of these objects."""
    runs = altered(well(), Trial.CONTROL, unpicklable=culprits)
    crashed = {t: ran(t, Ending.CRASHED, broken(t, failure("AttributeError", "Can't pickle"))) for t in AFRESH}
    return altered(runs | crashed, *AFRESH, unpicklable=culprits[:1])


@pytest.mark.parametrize(
    ("code", "unfit"), [("TLD201", Unfit.LAMBDA), ("TLD202", Unfit.LOCAL_FUNCTION), ("TLD202", Unfit.LOCAL_CLASS)]
)
def test_20x_confirmed_by_the_pickler_with_the_path(code: str, unfit: Unfit) -> None:
    told = texts(judge(code, unsent(unpicklable(unfit, 5)), LINE, 5))
    assert set(told) == set(AFRESH)
    assert told[Trial.SPAWN].startswith("AttributeError: Can't pickle local object")
    assert told[Trial.SPAWN].endswith("at dataset.transform.transforms[2]")


@pytest.mark.parametrize("code", ["TLD201", "TLD202"])
def test_20x_one_finding_is_not_proved_by_the_object_of_another(code: str) -> None:
    kind = {"TLD201": Unfit.LAMBDA, "TLD202": Unfit.LOCAL_FUNCTION}[code]
    assert judge(code, unsent(unpicklable(kind, 5)), 6).outcome is Outcome.UNKNOWN
    assert judge(code, unsent(unpicklable(Unfit.OTHER, 5)), 5).outcome is Outcome.UNKNOWN


def test_20x_a_loader_behind_one_that_breaks_is_judged_by_the_control() -> None:
    runs = unsent(unpicklable(Unfit.LAMBDA, 5), unpicklable(Unfit.LAMBDA, 6))
    assert set(texts(judge("TLD201", runs, 6))) == {Trial.CONTROL}


def test_20x_what_is_handed_to_forked_workers_is_not_pickled() -> None:
    culprit = unpicklable(Unfit.LAMBDA, 5)
    forked = (loader(context=StartMethod.FORK),)
    runs = {t: ran(t, Ending.FINISHED, passed(Trial.FORK), loaders=forked) for t in AFRESH}
    control = replace(ran(Trial.CONTROL, loaders=forked), unpicklable=(culprit,))
    assert judge("TLD201", {Trial.CONTROL: control, **runs}, 5, LINE).outcome is Outcome.REFUTED


def test_20x_not_refuted_while_a_loader_has_not_been_tried() -> None:
    runs = altered(well(), *AFRESH, loaders=(loader(), loader(30)))
    assert judge("TLD201", runs, 5, LINE, 30).reason is Reason.NEVER_REACHED


@pytest.mark.parametrize("code", ["TLD201", "TLD202", "TLD301"])
def test_another_loader_that_works_says_nothing_of_the_one_in_question(code: str) -> None:
    assert judge(code, well(), 5, 30).reason is Reason.NEVER_REACHED


def test_201_confirmed_by_a_worker_that_looks_for_the_lambda_of_an_object() -> None:
    died = worker(PIDS[0], how=failure("AttributeError", "'Items' object has no attribute '<lambda>'"))
    own = broken(Trial.SPAWN, failure("RuntimeError", "DataLoader worker exited unexpectedly"))
    runs = well() | {Trial.SPAWN: replace(ran(Trial.SPAWN, Ending.CRASHED, own), workers=(died,))}
    assert "has no attribute '<lambda>'" in texts(judge("TLD201", runs))[Trial.SPAWN]
    assert judge("TLD202", runs).outcome is Outcome.UNKNOWN


# TLD301: a large pickle for each worker.


def sent(size: int) -> Runs:
    seen = AttributeSeen("data", "ndarray(1000, 3, 64, 64)", size, "")
    passes = {t: (replace(passed(t), payload_bytes=(size, size), attributes=(seen,)),) for t in AFRESH}
    return well() | {t: ran(t, Ending.FINISHED, *passes[t]) for t in AFRESH}


def test_301_confirmed_by_the_bytes_that_were_pickled() -> None:
    told = texts(judge("TLD301", sent(98 * MEGABYTE)))
    assert set(told) == set(AFRESH)
    assert told[Trial.SPAWN] == "2 workers x 93 MiB pickled: data (ndarray(1000, 3, 64, 64))"


def test_301_large_is_what_the_user_says_it_is() -> None:
    assert judge("TLD301", sent(30 * MEGABYTE)).outcome is Outcome.REFUTED
    strict = type(RULES["TLD301"])(Settings(large_array=20 * MEGABYTE))
    assert strict.judge(sent(30 * MEGABYTE), Suspect(FILE, LINE)).outcome is Outcome.CONFIRMED


def test_301_speaks_of_datasets_of_the_class_in_question_only() -> None:
    built = replace(loader(), site=Site("/home/me/make.py", 3), classes=(Site(FILE, 5, "Train"), Site(FILE, 2, "Base")))
    runs = altered(sent(98 * MEGABYTE), *sent(1), loaders=(built,))
    for line in (5, 2):
        assert set(texts(judge("TLD301", runs, LINE, line))) == set(AFRESH)
    assert judge("TLD301", runs, LINE, 30).reason is Reason.NEVER_REACHED


# TLD401 and TLD402: OpenCV's threads.


def threaded(threads: int | None, *calls: str, trials: tuple[Trial, ...] = AFRESH) -> Runs:
    workers = tuple(worker(pid, *calls) for pid in PIDS)
    return altered(well(), *trials, workers=workers, first_fetches=tuple(fetch(pid, threads) for pid in PIDS))


@pytest.mark.parametrize("code", OPENCV)
def test_40x_confirmed_by_the_threads_of_a_worker_that_uses_opencv(code: str) -> None:
    told = texts(judge(code, threaded(8, "resize", "imread")))
    assert set(told) == set(AFRESH)
    assert told[Trial.SPAWN] == "2 workers with 8 threads each for resize"


@pytest.mark.parametrize("code", OPENCV)
@pytest.mark.parametrize(("threads", "calls"), [(1, ("resize",)), (8, ("imread",)), (None, ())])
def test_40x_refuted_without_threads_or_need_of_them(code: str, threads: int | None, calls: tuple[str, ...]) -> None:
    assert judge(code, threaded(threads, *calls)).outcome is Outcome.REFUTED


@pytest.mark.parametrize("code", OPENCV)
def test_40x_open_where_no_worker_was_seen_to_use_opencv(code: str) -> None:
    assert judge(code, threaded(8)).reason is Reason.NOT_SHOWN


@pytest.mark.parametrize("code", OPENCV)
def test_40x_open_where_one_cpu_has_one_thread_anyway(code: str) -> None:
    runs = threaded(1, "resize", trials=tuple(well()))
    assert judge(code, altered(runs, *runs, cpus=1)).reason is Reason.NOT_SHOWN


def test_401_confirmed_by_a_hang_in_that_line() -> None:
    hang = (Stack(PIDS[0], (f'File "{FILE}", line {LINE} in __getitem__',)),)
    started = (replace(passed(Trial.FORK), stage=Stage.STARTED, batches=0),)
    fetches = (fetch(PIDS[0], None, returned=False),)
    runs = altered(well(), Trial.FORK, ending=Ending.TIMED_OUT, passes=started, first_fetches=fetches, stacks=hang)
    assert set(texts(judge("TLD401", runs))) == {Trial.FORK}
    assert judge("TLD401", runs, LINE + 1).reason is Reason.TIMED_OUT
    assert judge("TLD401", altered(runs, Trial.CONTROL, ending=Ending.TIMED_OUT)).reason is Reason.TIMED_OUT
