"""TLD601 and TLD602 judge hand-written runs: with a GPU and without one, and what a program does that lacks it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_runs import MAIN, WORKERS, made_pass, made_run

from flake8_torchloader.observed import CudaAsked, Failure, LoaderBuilt, MainAgain, Pass, Site, Stage
from flake8_torchloader.rules import all_rules
from flake8_torchloader.settings import Settings
from flake8_torchloader.trial import Ending, Run, Trial, Versions
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict
from flake8_torchloader.worker_seen import FirstFetch, Worker

FILE = "/home/me/train.py"
USE, LOADER, AT_TOP = 7, 20, 3
BAD_FORK = (
    "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' "
    "start method"
)
TRIALS = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
AFRESH = (Trial.FORKSERVER, Trial.SPAWN)
WITH_GPU = Versions("3.11.7", "2.13.0", "12.9", 1)
ASKED = CudaAsked(MAIN, "torch.cuda.is_available", Site(FILE, 2))
RULES = {rule.code: rule(Settings()) for rule in all_rules()}
Runs = dict[Trial, Run]


def passed(trial: Trial, **given: object) -> Pass:
    return made_pass(trial, loader=LOADER, site=Site(FILE, LOADER), **given)


def worked(trial: Trial, **given: object) -> Run:
    """A run on a machine with a GPU in which the loader gave its batches and no worker used CUDA."""
    loader = LoaderBuilt(LOADER, MAIN, Site(FILE, LOADER), 2, "list", None, is_persistent=False, is_iterable=False)
    plain = {"versions": WITH_GPU, "loaders": (loader,), "passes": (passed(trial),), "cuda_asked": (ASKED,)}
    if trial.start_method is not None:
        plain |= {"workers": entered(), "first_fetches": fetched(has_cuda=False)}
    return made_run(trial, **{**plain, **given})


def entered(*, had_cuda: bool = False, allocations: int = 0, failure: Failure | None = None) -> tuple[Worker, ...]:
    calls: frozenset[str] = frozenset()
    return tuple(
        Worker(pid, number, 1, True, True, 1, 1, 1, calls, failure, had_cuda=had_cuda, cuda_allocations=allocations)
        for number, pid in enumerate(WORKERS)
    )


def fetched(
    *, has_cuda: bool = True, size: int = 0, allocations: int = 0, devices: tuple[str, ...] = ()
) -> tuple[FirstFetch, ...]:
    nothing: tuple[()] = ()
    return tuple(
        FirstFetch(
            pid, number, 1, 0, True, 0.1, 1, None, 1, has_cuda, size, frozenset(devices), nothing, nothing, nothing,
            cuda_allocations=allocations,
        )
        for number, pid in enumerate(WORKERS)
    )  # fmt: skip


def broken(text: str, *lines: int) -> Failure:
    return Failure(WORKERS[0], "RuntimeError", text, tuple(Site(FILE, line, "__getitem__") for line in lines))


def crashed_fork(failure: Failure, **given: object) -> Run:
    """A forked run in which the workers failed, and the program with them."""
    stopped = passed(Trial.FORK, stage=Stage.STARTED, batches=0, failure=failure, **given)
    caught = replace(failure, pid=MAIN, text=f"Caught RuntimeError in DataLoader worker process 0.\n{failure.text}")
    return worked(
        Trial.FORK, ending=Ending.CRASHED, status=1, crash=caught, passes=(stopped,), workers=entered(failure=failure),
        first_fetches=(),
    )  # fmt: skip


def all_worked() -> Runs:
    return {trial: worked(trial) for trial in (*TRIALS, Trial.REIMPORT)}


def without_gpu(runs: Runs, *asked: CudaAsked) -> Runs:
    return {trial: replace(run, versions=Versions("3.11.7", "2.13.0"), cuda_asked=asked) for trial, run in runs.items()}


def judge(code: str, runs: Runs) -> Verdict:
    line, *related = (USE, LOADER) if code == "TLD601" else (AT_TOP,)
    return RULES[code].judge(runs, Suspect(FILE, line, tuple(related)))


def texts(verdict: Verdict) -> dict[Trial, str]:
    """The evidence of a confirmed finding."""
    assert verdict.outcome is Outcome.CONFIRMED, verdict
    return {one.trial: one.text for one in verdict.evidence}


both = pytest.mark.parametrize("code", ["TLD601", "TLD602"])


# With a GPU.


@both
def test_refuted_where_no_worker_had_to_do_with_cuda(code: str) -> None:
    verdict = judge(code, all_worked())
    assert verdict.outcome is Outcome.REFUTED
    assert {one.trial for one in verdict.evidence} == set(RULES[code].trials) - {Trial.CONTROL, Trial.REIMPORT}


@both
def test_no_claim_without_a_control(code: str) -> None:
    assert judge(code, {Trial.SPAWN: worked(Trial.SPAWN)}).reason is Reason.NO_TRIAL
    assert judge(code, {}).reason is Reason.NO_TRIAL


@pytest.mark.parametrize("text", [BAD_FORK, "CUDA error: initialization error\nCUDA kernel errors might be ..."])
def test_a_forked_worker_that_fails_on_the_line_confirms(text: str) -> None:
    runs = all_worked() | {Trial.FORK: crashed_fork(broken(text, 5, USE))}
    found = texts(judge("TLD601", runs))
    assert list(found) == [Trial.FORK]
    assert found[Trial.FORK] == f"in a worker: RuntimeError: {' '.join(text.split())} ({FILE}:{USE})"


def test_another_line_that_fails_shows_nothing_of_this_one() -> None:
    runs = all_worked() | {Trial.FORK: crashed_fork(broken(BAD_FORK, 5))}
    assert judge("TLD601", runs).reason is Reason.CRASHED


def test_another_error_on_the_line_is_no_matter_of_cuda() -> None:
    runs = all_worked() | {Trial.FORK: crashed_fork(broken("CUDA error: out of memory", USE))}
    assert judge("TLD601", runs).reason is Reason.CRASHED


def test_tensors_that_were_sent_fail_on_no_line_of_the_user() -> None:
    runs = all_worked() | {Trial.FORK: crashed_fork(broken(BAD_FORK), devices=frozenset({"cuda:0"}))}
    assert texts(judge("TLD601", runs)) == {Trial.FORK: f"in a worker: RuntimeError: {BAD_FORK}"}


def test_a_batch_that_can_not_be_sent_back_counts_as_well() -> None:
    sent = passed(Trial.FORK, stage=Stage.STARTED, batches=0, devices=frozenset({"cuda:0"}))
    words = f"RuntimeError: {BAD_FORK}"
    hung = worked(Trial.FORK, ending=Ending.TIMED_OUT, status=None, passes=(sent,), unsent=(words,))
    assert texts(judge("TLD601", all_worked() | {Trial.FORK: hung})) == {Trial.FORK: words}


def test_workers_that_initialise_cuda_have_a_context_each() -> None:
    using = {trial: worked(trial, first_fetches=fetched(size=2 << 20)) for trial in AFRESH}
    words = "2 workers make a CUDA context each, and hold 4 MiB there"
    assert texts(judge("TLD601", all_worked() | using)) == dict.fromkeys(AFRESH, words)


def test_the_control_uses_cuda_without_workers() -> None:
    own = replace(fetched(size=1)[0], pid=MAIN, worker=None)
    assert judge("TLD601", all_worked() | {Trial.CONTROL: worked(Trial.CONTROL, first_fetches=(own,))}).outcome is (
        Outcome.REFUTED
    )


@pytest.mark.parametrize(
    ("fetch", "is_use"), [({}, False), ({"allocations": 9}, True), ({"allocations": 4, "devices": ("cuda:0",)}, True)]
)  # fmt: skip
def test_what_the_import_initialised_is_told_from_what_a_fetch_uses(fetch: dict[str, object], is_use: bool) -> None:
    seen = {"allocations": 4, **fetch}
    begun = worked(
        Trial.SPAWN,
        workers=entered(had_cuda=True, allocations=4),
        first_fetches=fetched(**seen),  # type: ignore[arg-type]
    )
    verdict = judge("TLD601", all_worked() | {Trial.SPAWN: begun})
    assert verdict.outcome is (Outcome.CONFIRMED if is_use else Outcome.REFUTED)


def test_what_was_sent_opens_a_context_even_if_no_fetch_does() -> None:
    sent = passed(Trial.SPAWN, devices=frozenset({"cuda:0"}))
    begun = worked(Trial.SPAWN, passes=(sent,), workers=entered(had_cuda=True), first_fetches=fetched())
    runs = all_worked() | {Trial.SPAWN: begun}
    assert texts(judge("TLD601", runs)) == {Trial.SPAWN: "2 workers make a CUDA context each"}
    assert judge("TLD602", runs).outcome is Outcome.REFUTED


def test_cuda_that_is_there_after_the_import_confirms() -> None:
    again = tuple(MainAgain(pid, FILE, 2.0, 1, None, has_cuda=True) for pid in WORKERS)
    begun = {trial: worked(trial, main_again=again, workers=entered(had_cuda=True)) for trial in AFRESH}
    words = (
        "CUDA is initialised in 2 other processes by importing the file (running the file there took 4.0 s in all, "
        "the import of torch included)"
    )
    assert texts(judge("TLD602", all_worked() | begun)) == dict.fromkeys(AFRESH, words)


def test_a_file_that_the_program_imports_counts_as_well() -> None:
    begun = worked(Trial.SPAWN, workers=entered(had_cuda=True))
    found = texts(judge("TLD602", all_worked() | {Trial.SPAWN: begun}))
    assert found == {Trial.SPAWN: "CUDA is initialised in 2 other processes by importing the file"}


def test_a_program_that_breaks_before_its_workers_is_imported_again_to_see() -> None:
    crash = Failure(MAIN, "RuntimeError", "other", (Site(FILE, LOADER),))
    early = {t: worked(t, ending=Ending.CRASHED, crash=crash, passes=(), workers=(), first_fetches=()) for t in AFRESH}
    again = worked(Trial.REIMPORT, main_again=(MainAgain(101, FILE, 2.0, 1, None, has_cuda=True),))
    assert list(texts(judge("TLD602", all_worked() | early | {Trial.REIMPORT: again}))) == [Trial.REIMPORT]


# Without a GPU.


@both
def test_a_program_that_asks_for_a_gpu_shows_nothing_without_one(code: str) -> None:
    verdict = judge(code, without_gpu(all_worked(), ASKED))
    assert verdict.reason is Reason.NO_CUDA
    assert [one.text for one in verdict.evidence] == [f"torch.cuda.is_available was called at {FILE}:2"]


@both
def test_a_program_that_never_asks_is_judged_as_ever(code: str) -> None:
    assert judge(code, without_gpu(all_worked())).outcome is Outcome.REFUTED


@both
@pytest.mark.parametrize("ending", [Ending.EXITED, Ending.FINISHED])
def test_a_program_that_asks_and_leaves_lacks_the_gpu(code: str, ending: Ending) -> None:
    early = {trial: worked(trial, ending=ending, passes=(), loaders=()) for trial in (*TRIALS, Trial.REIMPORT)}
    assert judge(code, without_gpu(early, ASKED)).reason is Reason.NO_CUDA


@both
def test_other_reasons_are_not_passed_over(code: str) -> None:
    crash = Failure(MAIN, "FileNotFoundError", "train.csv", (Site(FILE, 5),))
    early = {t: worked(t, ending=Ending.CRASHED, crash=crash, passes=()) for t in (*TRIALS, Trial.REIMPORT)}
    assert judge(code, without_gpu(early, ASKED)).reason is Reason.MISSING_FILE


@pytest.mark.parametrize("code", sorted(code for code, rule in RULES.items() if rule.trials))
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AssertionError", "Torch not compiled with CUDA enabled"),
        ("AssertionError", "Caught AssertionError in DataLoader worker ...\n... Torch not compiled with CUDA enabled"),
        ("RuntimeError", "No CUDA GPUs are available"),
        ("RuntimeError", "Found no NVIDIA driver on your system. Please check that you have ..."),
        ("RuntimeError", "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is ..."),
        ("AttributeError", "module 'torch._C' has no attribute '_cuda_setDevice'"),
        ("torch.AcceleratorError", "CUDA error: no CUDA-capable device is detected"),
        ("ValueError", "ProcessGroupNCCL is only supported with GPUs, no GPUs found!"),
    ],
)  # fmt: skip
def test_a_program_that_needs_a_gpu_lacks_it_for_every_rule(code: str, kind: str, text: str) -> None:
    crash = Failure(MAIN, kind, text, (Site(FILE, 5),))
    early = {t: worked(t, ending=Ending.CRASHED, crash=crash, passes=(), loaders=()) for t in (*TRIALS, Trial.REIMPORT)}
    assert judge(code, without_gpu(early)).reason is Reason.NO_CUDA
