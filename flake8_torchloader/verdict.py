"""What the runs of a program proved about a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from flake8_torchloader.trial import Ending, Run, Trial


class Outcome(Enum):
    """Whether the harm was seen, was not seen although it had its chance, or had no chance."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


class Reason(Enum):
    """Why nothing could be proved, in the words of a report."""

    NO_TORCH = "torch is not installed in the interpreter that was used"
    NO_CUDA = "it takes a CUDA device, and none can be reached"
    NO_TRIAL = "the trials that it takes were not run"
    NOT_STARTED = "the program could not be started"
    NOT_WATCHED = "the recorder was not loaded: the interpreter ignores PYTHONPATH or has no site module"
    NEEDS_ARGUMENTS = "the program wants arguments (give them after --)"
    NEEDS_INPUT = "the program reads from stdin"
    MISSING_FILE = "a file that the program reads is missing"
    MISSING_PACKAGE = "a package that the program imports is not installed"
    BLOCKED = "the program was stopped by the wall"
    TIMED_OUT = "time was up before the loader was reached"
    CRASHED = "the program crashed before the loader was reached"
    CONTROL_CRASHED = "the program crashes without workers as well"
    LEFT = "the program left by itself before the loader was reached"
    NEVER_REACHED = "the loader was never reached"
    NO_WORKERS = "the loader had no workers in this run"
    NOT_SHOWN = "the run neither showed the harm nor ruled it out"


@dataclass(frozen=True)
class Suspect:
    """What a finding is about: a line of a file, by its resolved absolute path, and related lines of the same file."""

    file: str
    line: int
    related: tuple[int, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """A line that a person can use, and the trial that it comes from."""

    trial: Trial
    text: str


@dataclass(frozen=True)
class Verdict:
    """An outcome with its evidence; the reason is there exactly when the outcome is UNKNOWN."""

    outcome: Outcome
    evidence: tuple[Evidence, ...] = ()
    reason: Reason | None = None

    def __post_init__(self) -> None:
        """Hold outcome and reason together.

        Raises:
            ValueError: if an UNKNOWN has no reason, or another outcome has one.
        """
        if (self.outcome is Outcome.UNKNOWN) != (self.reason is not None):
            raise ValueError("a reason belongs to UNKNOWN, and only to it")


def confirmed(*evidence: Evidence) -> Verdict:
    """The harm was seen."""
    return Verdict(Outcome.CONFIRMED, evidence)


def refuted(*evidence: Evidence) -> Verdict:
    """The harm was not seen, although everything it takes was there."""
    return Verdict(Outcome.REFUTED, evidence)


def unknown(reason: Reason, *evidence: Evidence) -> Verdict:
    """Nothing can be said, for this reason."""
    return Verdict(Outcome.UNKNOWN, evidence, reason)


def why_unreached(run: Run) -> Reason:
    """Why a run did not come to what was to be shown, from how it ended; the most telling reason first."""
    if run.ending is Ending.NOT_STARTED:
        return Reason.NOT_STARTED
    if not run.is_watched:
        return Reason.NOT_WATCHED
    if run.arguments_error:
        return Reason.NEEDS_ARGUMENTS
    if run.ending in (Ending.TIMED_OUT, Ending.STUCK):
        return Reason.TIMED_OUT
    if run.ending in (Ending.EXITED, Ending.KILLED):
        return Reason.BLOCKED if run.blocked else Reason.LEFT
    return _why_crashed(run) if run.crash is not None else Reason.NEVER_REACHED


def _why_crashed(run: Run) -> Reason:
    crash = run.crash
    assert crash is not None
    kind = crash.type.rpartition(".")[2]
    if kind == "ModuleNotFoundError":
        return Reason.NO_TORCH if "'torch'" in crash.text else Reason.MISSING_PACKAGE
    if run.blocked and (kind == "Blocked" or "--allow-" in crash.text + crash.cause):
        return Reason.BLOCKED
    if kind == "IndexError" and "sys.argv" in run.text:
        return Reason.NEEDS_ARGUMENTS
    by_kind = {"FileNotFoundError": Reason.MISSING_FILE, "EOFError": Reason.NEEDS_INPUT}
    return by_kind.get(kind, Reason.CRASHED)
