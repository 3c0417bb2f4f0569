"""From findings to verdicts: the program that they are about is run, once for each trial."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flake8_torchloader.finding import Finding
from flake8_torchloader.linted import Linted
from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules
from flake8_torchloader.running.launch import run
from flake8_torchloader.running.program import Entry, Limits, Program, Script
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import PICKLING_METHODS, StartMethod
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict, unknown, why_unreached

IS_POSSIBLE_HERE = sys.platform.startswith("linux")
"""Whether programs can be run on this system."""

_GOOD_ENDINGS = (Ending.FINISHED, Ending.CAPPED)
_FROM_OUTSIDE = {
    Reason.NO_TORCH, Reason.NO_CUDA, Reason.NOT_STARTED, Reason.NOT_WATCHED, Reason.NEEDS_ARGUMENTS, Reason.NEEDS_INPUT,
    Reason.MISSING_FILE, Reason.MISSING_PACKAGE, Reason.BLOCKED, Reason.TIMED_OUT,
}  # fmt: skip
"""What keeps a program from its loaders, whatever their workers are started with."""

Runner = Callable[[Program, Trial, Limits], Run]


@dataclass(frozen=True)
class Step:
    """A trial that begins: the program, and that it is one of `steps`, counted from 1."""

    program: Program
    trial: Trial
    number: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class Case:
    """A program, and the files whose findings its runs are to prove."""

    program: Program
    files: tuple[Linted, ...]


@dataclass(frozen=True)
class Proof:
    """What the runs proved about one finding; `trials` are those that its rule looked at."""

    path: Path
    finding: Finding
    verdict: Verdict
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Verification:
    """What came of a case: all its runs, and one proof for each finding."""

    program: Program
    limits: Limits
    runs: Mapping[Trial, Run]
    proofs: tuple[Proof, ...]


def unwatched(step: Step) -> None:
    """Tell nobody which trial begins."""


def cases(
    files: Iterable[Linted], python: Path, cwd: Path, entry: Entry | None = None, arguments: Sequence[str] = ()
) -> list[Case]:
    """Which programs are to be run: each file that has findings as a script, or one entry for all of them."""
    flagged = tuple(file for file in files if file.findings)
    if entry is not None:
        return [Case(Program(entry, python, cwd), flagged)] if flagged else []
    return [Case(Program(Script(file.path, tuple(arguments)), python, cwd), (file,)) for file in flagged]


def verify(
    case: Case,
    settings: Settings,
    limits: Limits = Limits(),
    watch: Callable[[Step], None] = unwatched,
    runner: Runner = run,
) -> Verification:
    """Run the program of a case under each trial that its findings take, and let their rules judge.

    REIMPORT comes last, and only if a finding is undecided by then. Where the control lacks something that comes before
    any loader, such as arguments or a file, all others would lack it too: it is the only one. `watch` is told of each
    trial before it begins. The trials of a start method that the settings leave out are not run, and notebooks are
    not. Whatever interrupts this ends the program that is running, and nothing of it is left.

    Raises:
        NotPossibleHere: on another system than Linux.
    """
    rules = {rule.code: rule(settings) for rule in all_rules()}
    codes = {finding.code for file in case.files for finding in file.findings if not file.cells}
    trials = _trials([rules[code] for code in codes], case.program, settings.start_methods)
    runs: dict[Trial, Run] = {}
    for number, trial in enumerate(trials, start=1):
        if trial is not Trial.REIMPORT or _is_undecided(case, rules, runs):
            watch(Step(case.program, trial, number, len(trials), limits.seconds))
            runs[trial] = runner(case.program, trial, limits)
        if _what_is_lacking(runs) is not None:
            break
    return Verification(case.program, limits, runs, tuple(_proofs(case, rules, runs)))


def _trials(rules: Iterable[Rule], program: Program, methods: frozenset[StartMethod]) -> tuple[Trial, ...]:
    """The trials that rules ask for, in a fixed order and with a control, as far as they can and may be run."""
    wanted = {trial for rule in rules for trial in rule.trials}
    possible = {Trial.CONTROL, *map(Trial.of, methods)}
    if methods & PICKLING_METHODS and isinstance(program.start, Script):
        possible.add(Trial.REIMPORT)
    wanted |= {Trial.CONTROL} if wanted else set()
    return tuple(trial for trial in Trial if trial in wanted & possible)


def _what_is_lacking(runs: Mapping[Trial, Run]) -> Reason | None:
    """Why the control, if it is all that was run, broke off before it had to do with any loader."""
    control = runs.get(Trial.CONTROL) if len(runs) == 1 else None
    if control is None or control.loaders or control.refused or control.ending in _GOOD_ENDINGS:
        return None
    reason = why_unreached(control)
    return reason if reason in _FROM_OUTSIDE else None


def _is_undecided(case: Case, rules: Mapping[str, Rule], runs: Mapping[Trial, Run]) -> bool:
    """Whether to import the program again may tell what the other trials did not."""
    return any(
        proof.verdict.outcome is Outcome.UNKNOWN and Trial.REIMPORT in rules[proof.finding.code].trials
        for proof in _proofs(case, rules, runs)
    )


def _proofs(case: Case, rules: Mapping[str, Rule], runs: Mapping[Trial, Run]) -> Iterator[Proof]:
    for file in case.files:
        path = str(file.path.resolve())
        for finding in file.findings:
            rule = rules[finding.code]
            suspect = Suspect.of(path, finding)
            looked_at = tuple(trial for trial in runs if trial in rule.trials)
            lacking = Reason.NOTEBOOK if file.cells else _what_is_lacking(runs) if rule.trials else None
            verdict = rule.judge(runs, suspect) if lacking is None else unknown(lacking)
            yield Proof(file.path, finding, verdict, looked_at)
