"""Whether what a dataset keeps could follow it to the workers, as runs of the program show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flake8_torchloader.observed import Unpicklable
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle


def judge_keeping(
    runs: Mapping[Trial, Run], trials: Sequence[Trial], suspect: Suspect, other_harm: Callable[[Run], str]
) -> Verdict:
    """Say whether what the finding is about kept workers from being started, or did another harm to a run.

    As with all that is sent, the control looks at what could not have been sent.
    """

    def harm(run: Run) -> str:
        return _unsendable(run, suspect) or other_harm(run)

    return settle(runs, trials, harm, suspect.passes, witness=Trial.CONTROL)


def _unsendable(run: Run, suspect: Suspect) -> str:
    """The pickler's own words about what the finding is about, and the way that leads to it."""
    for one in run.unpicklable:
        loader = run.loader(one.loader, one.pid)
        is_forked = loader is not None and loader.context is StartMethod.FORK
        if not is_forked and _is_about(one, suspect):
            return f"{one.error} at {one.path}"
    return ""


def _is_about(one: Unpicklable, suspect: Suspect) -> bool:
    """Whether a line of the finding speaks of an attribute on the way to the object, or defines the object.

    Where no line of the program speaks of those attributes, nothing tells the object from that of the finding.
    """
    if suspect.is_at(one.definition):
        return True
    return not one.holders or any(suspect.is_at(holder) for holder in one.holders)
