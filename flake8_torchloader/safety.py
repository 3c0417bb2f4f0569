"""Whether the loaders that a factory makes live under every start method, whatever the linter knows of their code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flake8_torchloader.observed import Failure, Site
from flake8_torchloader.running.launch import run
from flake8_torchloader.running.program import Limits, Program
from flake8_torchloader.start_method import ALL_METHODS, StartMethod
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import (
    Evidence,
    Reason,
    Verdict,
    confirmed,
    refuted,
    unknown,
    why_unreached,
)
from flake8_torchloader.verifying import Runner

_MOST_FAILURES = 2
_GOOD_ENDINGS = (Ending.FINISHED, Ending.CAPPED)


def check_loaders(
    program: Program,
    limits: Limits = Limits(),
    methods: Iterable[StartMethod] = ALL_METHODS,
    runner: Runner = run,
) -> Verdict:
    """Run a program without workers and under each start method: CONFIRMED if it breaks with workers alone."""
    chosen = set(methods)
    trials = [trial for trial in Trial if trial is Trial.CONTROL or trial.start_method in chosen]
    return judge_loaders({trial: runner(program, trial, limits) for trial in trials})


def judge_loaders(runs: Mapping[Trial, Run]) -> Verdict:
    """Whether a program that runs without workers breaks with them; UNKNOWN if it breaks anyway, or has none."""
    control = runs[Trial.CONTROL]
    if _is_broken(control) or not any(one.is_alive for one in control.passes):
        return unknown(why_unreached(control), *_evidence(control))
    others = [run for run in runs.values() if run.trial.start_method is not None]
    broken = [run for run in others if _is_broken(run)]
    if broken:
        return confirmed(*(evidence for run in broken for evidence in _evidence(run)))
    idle = next((run for run in others if not any(one.has_worked for one in run.passes)), None)
    if idle is not None:
        return unknown(Reason.NO_WORKERS, Evidence(idle.trial, "no worker was started: give the loader num_workers"))
    missed = next((run for run in others if _has_missed_loaders(run)), None)
    if missed is not None:
        return unknown(Reason.NEVER_REACHED, Evidence(missed.trial, "a loader was built and never iterated"))
    return refuted(*(Evidence(run.trial, "every loader gave its batches") for run in others))


def _is_broken(run: Run) -> bool:
    return run.ending not in _GOOD_ENDINGS or any(one.failure for one in run.passes)


def _has_missed_loaders(run: Run) -> bool:
    """Whether a loader with workers was built, and none of them ever gave a batch."""
    built = {one.number for one in run.loaders if one.pid == run.main and one.workers}
    return not built <= {one.loader for one in run.passes if one.pid == run.main and one.has_worked}


def _evidence(run: Run) -> Iterator[Evidence]:
    """What is known of the end of a run: what could not be sent, what was raised first, or only how it ended."""
    sent = [f"{one.path} can't be pickled: {one.error}{_at(one.definition)}" for one in run.unpicklable]
    raised = [f"{one.headline}{_at(one.site)}" for one in _failures(run) if one.headline not in " ".join(sent)]
    obstacles = [run.error, run.arguments_error]
    found = dict.fromkeys(filter(None, [*obstacles, *sent, *raised[:_MOST_FAILURES]]))
    yield from (Evidence(run.trial, text) for text in found or [f"the program {_ended(run)}"])


def _failures(run: Run) -> Iterator[Failure]:
    """Exceptions, the nearest to the cause first: in workers, while processes started, in loops, at the end."""
    yield from (worker.failure for worker in run.workers if worker.failure is not None)
    yield from run.child_failures
    yield from (one.failure for one in run.passes if one.failure is not None)
    yield from [run.crash] if run.crash is not None else []


def _at(site: Site | None) -> str:
    return f" at {site}" if site is not None else ""


def _ended(run: Run) -> str:
    where = next((stack.lines[-1] for stack in run.stacks if stack.lines), "")
    return f"{run.ending.value} after {run.seconds:.0f} s{f', at {where}' if where else ''}"
