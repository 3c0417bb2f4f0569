"""What the runs of a program proved about a finding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from flake8_torchloader.finding import Finding
from flake8_torchloader.observed import LoaderBuilt, Pass, Site
from flake8_torchloader.settings import spell_size
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
    NOTEBOOK = "it stands in a notebook, and those are not run"
    NOTHING_TO_RUN = "the finding is not about anything that runs"
    NOT_SHOWN = "the run neither showed the harm nor ruled it out"


@dataclass(frozen=True)
class Suspect:
    """What a finding is about: a line of a file, by its resolved absolute path, and related lines.

    `related` are lines of the same file, `elsewhere` those of others, each with its file.
    """

    file: str
    line: int
    related: tuple[int, ...] = ()
    elsewhere: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, file: str, finding: Finding) -> Suspect:
        """The suspect of a finding in a file."""
        elsewhere = tuple((one.path, one.line) for one in finding.elsewhere)
        return cls(file, finding.span.line, tuple(note.span.line for note in finding.notes), elsewhere)

    def is_at(self, site: Site | None) -> bool:
        """Whether something stands on the line of the finding, or on one that belongs to it."""
        if site is None:
            return False
        is_here = site.file == self.file and site.line in (self.line, *self.related)
        return is_here or (site.file, site.line) in self.elsewhere

    def loaders(self, run: Run) -> tuple[LoaderBuilt, ...]:
        """The loaders that were built on these lines, or whose dataset is of a class that begins on one of them."""
        return tuple(one for one in run.loaders if any(map(self.is_at, (*one.way, *one.classes))))

    def passes(self, run: Run) -> tuple[Pass, ...]:
        """The iterations over those loaders; none while one of them had no turn."""
        loaders = self.loaders(run)
        keys = {(one.number, one.pid) for one in loaders}
        passes = tuple(one for one in run.passes if (one.loader, one.pid) in keys)
        built = {one.number for one in loaders if one.pid == run.main and one.workers}
        worked = {one.loader for one in passes if one.pid == run.main and one.has_worked}
        return passes if built <= worked else ()


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

    @property
    def is_refuted(self) -> bool:
        """Whether the harm had its chance, and stayed away."""
        return self.outcome is Outcome.REFUTED


def confirmed(*evidence: Evidence) -> Verdict:
    """The harm was seen."""
    return Verdict(Outcome.CONFIRMED, evidence)


def refuted(*evidence: Evidence) -> Verdict:
    """The harm was not seen, although everything it takes was there."""
    return Verdict(Outcome.REFUTED, evidence)


def unknown(reason: Reason, *evidence: Evidence) -> Verdict:
    """Nothing can be said, for this reason."""
    return Verdict(Outcome.UNKNOWN, evidence, reason)


def settle(
    runs: Mapping[Trial, Run],
    trials: Iterable[Trial],
    harm: Callable[[Run], str],
    concerned: Callable[[Run], Iterable[Pass]],
    witness: Trial | None = None,
) -> Verdict:
    """Weigh the runs that a rule asked for, as far as they were run: a control and one start method are the least.

    `harm` words the harm that a run shows, or gives "". It is confirmed by any run with workers, and refuted if all of
    them fetched with workers in the passes that the finding is about (`concerned`). Where neither is so, the harm may
    still show in the `witness`, a run without workers that comes past what breaks the others.
    """
    suspects = [runs[trial] for trial in trials if trial in runs and trial.start_method is not None]
    if Trial.CONTROL not in runs or not suspects:
        return unknown(Reason.NO_TRIAL)
    harms = _harms(suspects, harm)
    worked = {run.trial: [one for one in concerned(run) if one.pid == run.main and one.has_worked] for run in suspects}
    if not harms and all(worked.values()):
        return refuted(*(_stayed_away(trial, passes) for trial, passes in worked.items()))
    if witness is not None and witness in runs and not any(run.has_chosen_fork for run in suspects):
        harms = harms or _harms([runs[witness]], harm)
    if harms:
        return confirmed(*harms)
    missed = next(run for run in suspects if not worked[run.trial])
    return unknown(_why_control_broke(runs[Trial.CONTROL]) or why_unreached(missed))


def _harms(runs: Iterable[Run], harm: Callable[[Run], str]) -> list[Evidence]:
    return [Evidence(run.trial, text) for run in runs if (text := harm(run))]


def _stayed_away(trial: Trial, passes: Iterable[Pass]) -> Evidence:
    pids = {pid for one in passes for pid in one.pids}
    methods = ", ".join(sorted({one.start_method.value for one in passes if one.start_method}))
    batches = sum(one.batches for one in passes)
    return Evidence(trial, f"{len(pids)} workers, started by {methods}, gave {batches} batches without it")


def _why_control_broke(control: Run) -> Reason | None:
    """Why the program does not even get on without workers, if it does not."""
    if control.ending in (Ending.FINISHED, Ending.CAPPED, Ending.TIMED_OUT, Ending.STUCK):
        return None
    reason = why_unreached(control)
    return Reason.CONTROL_CRASHED if reason is Reason.CRASHED and control.passes else reason


def spell_cost(run: Run, pids: Collection[int]) -> str:
    """What it cost to run the main module again in some processes, in words."""
    again = run.again(pids)
    if not again:
        return f"{len(pids)} other processes"
    seconds, grown = sum(one.seconds for one in again), sum(one.grown_bytes for one in again)
    cost = f"{seconds:.1f} s and {spell_size(grown)} in all, the import of torch included"
    return f"{len(pids)} other processes (running the file there took {cost})"


def why_unreached(run: Run) -> Reason:
    """Why a run did not come to what was to be shown, from how it ended; the most telling reason first."""
    if run.ending is Ending.NOT_STARTED:
        return Reason.NOT_STARTED
    if not run.is_watched:
        return Reason.NOT_WATCHED
    if run.arguments_error:
        return Reason.NEEDS_ARGUMENTS
    if run.ending in (Ending.TIMED_OUT, Ending.STUCK):
        return Reason.NO_WORKERS if _is_idle(run) else Reason.TIMED_OUT
    if run.ending in (Ending.EXITED, Ending.KILLED):
        return Reason.BLOCKED if run.blocked else Reason.LEFT
    if run.crash is not None and run.ending is Ending.CRASHED:
        return _why_crashed(run)
    return Reason.NO_WORKERS if _is_idle(run) else Reason.NEVER_REACHED


def _is_idle(run: Run) -> bool:
    """Whether a run that was to have workers gave batches without any, and started none in any loop."""
    passes = run.passes if run.trial.start_method is not None else ()
    return any(one.batches for one in passes) and not any(one.workers for one in passes)


def _why_crashed(run: Run) -> Reason:
    crash = run.crash
    assert crash is not None
    kind = crash.type.rpartition(".")[2]
    if kind == "ModuleNotFoundError":
        return Reason.NO_TORCH if "'torch'" in crash.text else Reason.MISSING_PACKAGE
    if crash.is_for_lack_of_cuda:
        return Reason.NO_CUDA
    if run.blocked and (kind == "Blocked" or "--allow-" in crash.text + crash.cause):
        return Reason.BLOCKED
    if kind == "IndexError" and "sys.argv" in run.text:
        return Reason.NEEDS_ARGUMENTS
    by_kind = {"FileNotFoundError": Reason.MISSING_FILE, "EOFError": Reason.NEEDS_INPUT}
    return by_kind.get(kind, Reason.CRASHED)
