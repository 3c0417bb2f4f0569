"""CUDA in worker processes, as runs of a program show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flake8_torchloader.observed import Failure, Pass
from flake8_torchloader.settings import spell_size
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Evidence, Outcome, Reason, Suspect, Verdict, settle, unknown
from flake8_torchloader.worker_seen import FirstFetch, Worker

_BAD_FORK = ("Cannot re-initialize CUDA in forked subprocess", "CUDA error: initialization error")
"""What torch says to new tensors in a forked process, and what CUDA says to those that it inherited."""

_MAY_LACK_DEVICE = {Reason.CRASHED, Reason.CONTROL_CRASHED, Reason.LEFT, Reason.NEVER_REACHED}
"""Why a program that asked for CUDA in vain may not have come as far as its loader."""


def settle_cuda(
    runs: Mapping[Trial, Run],
    trials: Sequence[Trial],
    harm: Callable[[Run], str],
    concerned: Callable[[Run], Iterable[Pass]],
    witness: Trial | None = None,
) -> Verdict:
    """Weigh the runs as `settle` does. Without a device, a program that asks for one shows nothing.

    One that never asks, in any of its processes, is the same program on a machine that has a device.
    """
    verdict = settle(runs, trials, harm, concerned, witness)
    if verdict.outcome is Outcome.CONFIRMED or any(run.versions.cuda_devices for run in runs.values()):
        return verdict
    asked = next(((run, one) for run in runs.values() for one in run.cuda_asked), None)
    if asked is None or verdict.outcome is Outcome.UNKNOWN and verdict.reason not in _MAY_LACK_DEVICE:
        return verdict
    run, one = asked
    where = f" at {one.site}" if one.site is not None else ""
    return unknown(Reason.NO_CUDA, Evidence(run.trial, f"{one.call} was called{where}"))


def failed_after_fork(run: Run, suspect: Suspect) -> str:
    """The failure of forked workers that use CUDA on the line of the finding, or were sent tensors that lie there."""
    were_sent = any(one.devices for one in run.passes)
    broken = [one for one in run.workers if one.failure is not None and _is_bad_fork(one.failure)]
    concerned = [f for one in broken if (f := one.failure) and (were_sent or any(map(suspect.is_at, f.sites)))]
    unsent = [text for text in run.unsent if were_sent and any(words in text for words in _BAD_FORK)]
    return _at(concerned[0]) if concerned else unsent[0] if unsent else ""


def _is_bad_fork(failure: Failure) -> bool:
    return any(words in failure.text for words in _BAD_FORK)


def _at(failure: Failure) -> str:
    where = f" ({failure.site})" if failure.site is not None else ""
    return f"in a worker: {failure.headline}{where}"


def opened_in_workers(run: Run, suspect: Suspect) -> str:
    """How many workers came to use CUDA by what they fetch, or by what they were sent."""
    sent = {pid for one in suspect.passes(run) if one.devices for pid in one.pids}
    entered = {one.pid: one for one in run.workers}
    users = {
        one.pid: one
        for one in run.first_fetches
        if one.worker is not None and one.has_cuda and (one.pid in sent or _has_used(one, entered.get(one.pid)))
    }
    if not users:
        return ""
    held = sum(one.cuda_bytes for one in users.values())
    kept = f", and hold {spell_size(held)} there" if held else ""
    return f"{len(users)} workers make a CUDA context each{kept}"


def _has_used(fetch: FirstFetch, worker: Worker | None) -> bool:
    """Whether a fetch initialised CUDA, or put something on the device where the import of the file had done so."""
    is_new = worker is None or not worker.had_cuda or fetch.cuda_allocations > worker.cuda_allocations
    return is_new or bool(fetch.devices)


def opened_at_import(run: Run) -> str:
    """How many processes that import the program again initialise CUDA by that."""
    pids = set(_importers(run)) - {run.main}
    cost = sum(one.seconds for one in run.again(pids))
    spent = f" (running the file there took {cost:.1f} s in all, the import of torch included)" if cost else ""
    return f"CUDA is initialised in {len(pids)} other processes by importing the file{spent}" if pids else ""


def _importers(run: Run) -> Iterator[int]:
    """The processes in which CUDA was alive right after the import: that of the main module, or of those it sends."""
    yield from (one.pid for one in run.main_again if one.has_cuda)
    sent = {pid for one in run.passes if one.devices for pid in one.pids}
    yield from (one.pid for one in run.workers if one.had_cuda and one.pid not in sent)
