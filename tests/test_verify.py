"""From findings to verdicts: which programs are run, under which trials, and what is judged by what."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from made_runs import made_failure, made_pass, made_run
from running_room import needs_torch

from flake8_torchloader import verifying
from flake8_torchloader.choosing.config import Config
from flake8_torchloader.finding import Finding, Note, Span
from flake8_torchloader.linted import Linted
from flake8_torchloader.observed import LoaderBuilt, Site, Stage, Unfit, Unpicklable
from flake8_torchloader.running.program import Entry, Limits, Program, Script
from flake8_torchloader.safety import check_loaders, judge_loaders
from flake8_torchloader.settings import Settings
from flake8_torchloader.sources import Linter
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import (
    Evidence,
    Outcome,
    Reason,
    Suspect,
    Verdict,
    confirmed,
    refuted,
    unknown,
)
from flake8_torchloader.verifying import Case, Step, cases, verify

PYTHON = Path(sys.executable)
SCRIPT = Path("train.py")
SPAN = Span(4, 2, 4, 9)


class Pickles:
    """A stand-in for a rule, which confirms with all that it was asked."""

    code = "TLD201"
    trials: tuple[Trial, ...] = (Trial.CONTROL, Trial.SPAWN)

    def __init__(self, settings: Settings) -> None:
        """Nothing is kept."""

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        names = ", ".join(trial.value for trial in runs)
        return confirmed(Evidence(Trial.CONTROL, f"{suspect.file} {suspect.line} {suspect.related}: {names}"))


class Imports(Pickles):
    """Can't tell without a run that imports the program again."""

    code = "TLD401"
    trials = (Trial.FORK, Trial.SPAWN, Trial.REIMPORT)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        return super().judge(runs, suspect) if Trial.REIMPORT in runs else unknown(Reason.NOT_SHOWN)


class Decided(Imports):
    """Could look at that run as well, and need not."""

    code = "TLD402"

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        return refuted()


class Unread(Pickles):
    code = "TLD000"
    trials = ()


class Theatre:
    """A place where programs are said to run: it remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[Program, Trial, Limits]] = []
        self.shown: dict[str, object] = {}

    def __call__(self, program: Program, trial: Trial, limits: Limits) -> Run:
        self.given.append((program, trial, limits))
        return made_run(trial, **self.shown)

    @property
    def trials(self) -> list[Trial]:
        return [trial for _, trial, _ in self.given]


@pytest.fixture
def theatre(monkeypatch: pytest.MonkeyPatch) -> Theatre:
    monkeypatch.setattr(verifying, "all_rules", lambda: (Unread, Pickles, Imports, Decided))
    return Theatre()


BUILT = LoaderBuilt(1, 100, Site("train.py", 4), 2, "list", None, is_persistent=False, is_iterable=False)


def crashed(kind: str, text: str) -> dict[str, object]:
    """What is different in a run that an exception ended."""
    return {"ending": Ending.CRASHED, "crash": made_failure(kind, text)}


def finding(code: str, line: int = 4, *notes: Note) -> Finding:
    return Finding(Span(line, 2, line, 9), code, "goes wrong", notes)


def case(*findings: Finding, entry: Entry | None = None) -> Case:
    (made,) = cases([Linted(SCRIPT, findings)], PYTHON, Path("/"), entry)
    return made


def test_each_file_with_findings_is_a_program_of_its_own() -> None:
    files = [Linted(Path(name), found) for name, found in (("a.py", (finding("TLD201"),)), ("b.py", ()), ("c.py", ()))]

    (only,) = cases(files, PYTHON, Path("/"), None, ["--epochs", "3"])

    assert only == Case(Program(Script(Path("a.py"), ("--epochs", "3")), PYTHON, Path("/")), (files[0],))


def test_an_entry_is_one_program_for_all_files() -> None:
    files = [Linted(Path("a.py"), (finding("TLD201"),)), Linted(Path("b.py"), (finding("TLD401"),))]
    entry = Entry("data:make", 3)

    assert cases(files, PYTHON, Path("/"), entry) == [Case(Program(entry, PYTHON, Path("/")), tuple(files))]
    assert cases([Linted(Path("a.py"), ())], PYTHON, Path("/"), entry) == []


def test_each_trial_is_run_once_for_all_findings(theatre: Theatre) -> None:
    note = Note(Span(9, 0, 9, 1), "here")
    found = case(finding("TLD201", 4, note), finding("TLD201", 7), finding("TLD401"))
    shown = verify(found, Settings(), Limits(batches=3), runner=theatre)

    everything = [Trial.CONTROL, Trial.FORK, Trial.SPAWN, Trial.REIMPORT]
    assert theatre.given == [(found.program, trial, Limits(batches=3)) for trial in everything]
    assert list(shown.runs) == everything
    assert [proof.finding for proof in shown.proofs] == list(found.files[0].findings)
    assert [proof.trials for proof in shown.proofs][1:] == [(Trial.CONTROL, Trial.SPAWN), tuple(everything[1:])]
    first = shown.proofs[0].verdict.evidence[0].text
    assert first == f"{SCRIPT.resolve()} 4 (9,): control, fork, spawn, reimport"


@pytest.mark.parametrize(
    ("methods", "trials"),
    [
        ({StartMethod.FORK}, [Trial.CONTROL, Trial.FORK]),
        ({StartMethod.SPAWN}, [Trial.CONTROL, Trial.SPAWN, Trial.REIMPORT]),
        ({StartMethod.FORKSERVER}, [Trial.CONTROL, Trial.REIMPORT]),
    ],
    ids=str,
)
def test_start_methods_that_were_not_chosen_are_not_run(
    theatre: Theatre, methods: set[StartMethod], trials: list[Trial]
) -> None:
    verify(case(finding("TLD401")), Settings(frozenset(methods)), runner=theatre)

    assert theatre.trials == trials


def test_nothing_is_imported_again_if_all_is_decided(theatre: Theatre) -> None:
    verify(case(finding("TLD402")), Settings(), runner=theatre)

    assert theatre.trials == [Trial.CONTROL, Trial.FORK, Trial.SPAWN]


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        ({"ending": Ending.EXITED, "arguments_error": "--data is required"}, Reason.NEEDS_ARGUMENTS),
        ({"ending": Ending.TIMED_OUT}, Reason.TIMED_OUT),
        ({"ending": Ending.NOT_STARTED}, Reason.NOT_STARTED),
        (crashed("ModuleNotFoundError", "No module named 'torch'"), Reason.NO_TORCH),
        (crashed("FileNotFoundError", "data.csv"), Reason.MISSING_FILE),
        (crashed("AssertionError", "Torch not compiled with CUDA enabled"), Reason.NO_CUDA),
    ],
)
def test_what_the_control_lacks_before_any_loader_all_others_would_lack(
    theatre: Theatre, lacking: dict[str, object], reason: Reason
) -> None:
    theatre.shown = lacking
    shown = verify(case(finding("TLD401"), finding("TLD402"), finding("TLD000")), Settings(), runner=theatre)

    assert theatre.trials == [Trial.CONTROL]
    assert [proof.verdict.reason for proof in shown.proofs[:2]] == [reason, reason]
    assert shown.proofs[2].verdict.outcome is Outcome.CONFIRMED, "its rule looks at no run"


@pytest.mark.parametrize(
    "shown",
    [
        crashed("RuntimeError", "context has already been set"),
        {**crashed("FileNotFoundError", "data.csv"), "loaders": (BUILT,)},
        {"ending": Ending.TIMED_OUT, "loaders": (BUILT,)},
    ],
    ids=["another crash", "a loader was built", "time was up after that"],
)
def test_a_control_that_breaks_otherwise_ends_nothing(theatre: Theatre, shown: dict[str, object]) -> None:
    theatre.shown = shown
    verify(case(finding("TLD402")), Settings(), runner=theatre)

    assert theatre.trials == [Trial.CONTROL, Trial.FORK, Trial.SPAWN]


def test_an_entry_has_no_top_level_to_run_again(theatre: Theatre) -> None:
    verify(case(finding("TLD401"), entry=Entry("data:make")), Settings(), runner=theatre)

    assert theatre.trials == [Trial.CONTROL, Trial.FORK, Trial.SPAWN]


def test_what_no_run_can_prove_is_not_run(theatre: Theatre) -> None:
    shown = verify(case(finding("TLD000")), Settings(), runner=theatre)

    assert theatre.trials == []
    assert len(shown.proofs) == 1


def test_who_watches_is_told_of_each_trial_before_it_begins(theatre: Theatre) -> None:
    told: list[tuple[Trial, int, int, int]] = []

    def watch(step: Step) -> None:
        told.append((step.trial, step.number, step.steps, len(theatre.given)))

    verify(case(finding("TLD201")), Settings(), Limits(), watch, theatre)

    assert told == [(Trial.CONTROL, 1, 2, 0), (Trial.SPAWN, 2, 2, 1)]


def test_an_interruption_is_passed_on() -> None:
    def interrupted(program: Program, trial: Trial, limits: Limits) -> Run:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(case(finding("TLD201")), Settings(), runner=interrupted)


def loaders_run(trial: Trial, **given: object) -> Run:
    return made_run(trial, **{"passes": (made_pass(trial),), **given})


def judged(**given: object) -> Verdict:
    """What is said of loaders that run well, but for what is given of the run under spawn."""
    runs = {trial: loaders_run(trial) for trial in (Trial.CONTROL, Trial.FORK)}
    return judge_loaders({**runs, Trial.SPAWN: loaders_run(Trial.SPAWN, **given)})


def test_loaders_that_live_under_every_start_method_are_safe() -> None:
    assert judged().outcome is Outcome.REFUTED
    assert judged(ending=Ending.CAPPED).outcome is Outcome.REFUTED


def test_what_cannot_be_pickled_is_named() -> None:
    site = Site("/p/data.py", 7)
    lost = Unpicklable(100, 1, "dataset.f", Unfit.LAMBDA, "function", "<lambda>", site, "AttributeError: no")
    raised = made_failure("AttributeError", "no")
    passed = made_pass(Trial.SPAWN, failure=raised, stage=Stage.ENTERED)

    verdict = judged(ending=Ending.CRASHED, crash=raised, passes=(passed,), unpicklable=(lost,))

    assert verdict.outcome is Outcome.CONFIRMED
    assert verdict.evidence == (
        Evidence(Trial.SPAWN, "dataset.f can't be pickled: AttributeError: no at /p/data.py:7"),
    )


def test_a_failure_that_the_program_hides_still_counts() -> None:
    verdict = judged(passes=(made_pass(Trial.SPAWN, failure=made_failure("ValueError", "odd")),))

    assert verdict == confirmed(Evidence(Trial.SPAWN, "ValueError: odd"))


@pytest.mark.parametrize("ending", [Ending.STUCK, Ending.TIMED_OUT, Ending.KILLED, Ending.EXITED])
def test_a_program_that_ends_badly_without_a_word_is_broken(ending: Ending) -> None:
    assert judged(ending=ending) == confirmed(Evidence(Trial.SPAWN, f"the program {ending.value} after 2 s"))


def test_loaders_without_workers_prove_nothing() -> None:
    assert judged(passes=(made_pass(Trial.CONTROL),)).reason is Reason.NO_WORKERS


def test_a_loader_that_nobody_iterates_proves_nothing() -> None:
    built = LoaderBuilt(2, 100, None, 2, "list", None, is_persistent=False, is_iterable=False)

    assert judged(loaders=(built,)).reason is Reason.NEVER_REACHED


def test_loaders_that_break_anyway_prove_nothing() -> None:
    crash = made_failure("ModuleNotFoundError", "No module named 'torch'")
    runs = {Trial.CONTROL: made_run(Trial.CONTROL, ending=Ending.CRASHED, crash=crash)}

    verdict = judge_loaders(runs)

    assert verdict.reason is Reason.NO_TORCH
    assert verdict.evidence == (Evidence(Trial.CONTROL, "ModuleNotFoundError: No module named 'torch'"),)


def test_a_check_runs_the_control_and_the_methods_asked_for(theatre: Theatre) -> None:
    program = Program(Entry("data:make"), PYTHON, Path("/"))

    check_loaders(program, methods=[StartMethod.SPAWN], runner=theatre)

    assert theatre.trials == [Trial.CONTROL, Trial.SPAWN]


LIBRARY = """\
from torch.utils.data import DataLoader


def make():
    return DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
"""


@pytest.fixture
def library(tmp_path: Path) -> Linted:
    path = tmp_path / "data.py"
    path.write_text(LIBRARY, encoding="utf-8")
    linted = Linter(Config())(path).said
    assert isinstance(linted, Linted)
    return linted


@needs_torch
@pytest.mark.parametrize(
    ("factory", "outcome"), [("make", Outcome.CONFIRMED), ("absent", Outcome.UNKNOWN)], ids=str
)
def test_a_library_is_verified_through_its_entry(library: Linted, factory: str, outcome: Outcome) -> None:
    settings = Settings(frozenset({StartMethod.SPAWN}))
    (found,) = cases([library], PYTHON, library.path.parent, Entry(f"data:{factory}"))

    (proof,) = verify(found, settings, Limits(seconds=120)).proofs

    assert (proof.path, proof.finding) == (library.path, library.findings[0])
    assert proof.verdict.outcome is outcome
