"""Whether what a loader sends to its workers can be sent, as runs of the program show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flake8_torchloader.observed import Unfit
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle


def judge_sending(
    runs: Mapping[Trial, Run], trials: Sequence[Trial], suspect: Suspect, unfits: frozenset[Unfit]
) -> Verdict:
    """Say whether an object of some kinds, defined where the finding says, kept workers from being started.

    The control looks at what each loader would send as well: it comes past a loader whose workers fail to start.
    """

    def harm(run: Run) -> str:
        return _unsendable(run, suspect, unfits) or _dead_on_arrival(run, unfits)

    return settle(runs, trials, harm, suspect.passes, witness=Trial.CONTROL)


def _unsendable(run: Run, suspect: Suspect, unfits: frozenset[Unfit]) -> str:
    """The pickler's own words about the object in question, and the way that leads to it."""
    for one in run.unpicklable:
        loader = run.loader(one.loader, one.pid)
        if one.unfit not in unfits or loader is not None and loader.context is StartMethod.FORK:
            continue
        if one.definition is None or suspect.is_at(one.definition):
            return f"{one.error} at {one.path}"
    return ""


def _dead_on_arrival(run: Run, unfits: frozenset[Unfit]) -> str:
    """A lambda that is the method of an object is pickled by that object and its name, which leads nowhere."""
    if Unfit.LAMBDA not in unfits or run.unpicklable:
        return ""
    failures = (one.failure for one in run.workers if one.failure is not None and not one.has_reached_loop)
    return next((f"a worker died while it started: {one.headline}" for one in failures if "<lambda>" in one.text), "")
