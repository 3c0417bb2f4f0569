"""Workers that are started again and again, as runs of a program show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flake8_torchloader.observed import Pass, Stage
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle

_FEW = 2
"""Batches after which an iteration that was not gone through counts as left behind."""

Restarted = Callable[[Run, Suspect], list[Pass]]


def judge_restarts(
    runs: Mapping[Trial, Run], trials: Sequence[Trial], suspect: Suspect, restarted: Restarted
) -> Verdict:
    """Say whether iterations had each to start workers of their own, though they could have shared them."""

    def harm(run: Run) -> str:
        passes = _with_own_workers(restarted(run, suspect))
        return _told(run, passes) if len(passes) > 1 else ""

    return settle(runs, trials, harm, suspect.passes)


def left_after_few(run: Run, suspect: Suspect) -> list[Pass]:
    """The iterations of the lines in question that were left after a batch or two, or begun inside others.

    Those that the line of the finding began may be over several loaders, which then were built in vain.
    """
    begun = [one for one in _of_main(run) if suspect.is_at(one.site) or _is_built_here(run, one, suspect)]
    left = [one for one in begun if one.stage is Stage.BATCHED and one.batches <= _FEW and not one.is_cut]
    here = [one for one in left if one.site is not None and one.site.line == suspect.line]
    same = here if len(here) > 1 else _of_one_loader(left)
    return same if len(same) > 1 else [one for one in begun if _is_inside(run, one, begun)]


def over_same_loader(run: Run, suspect: Suspect) -> list[Pass]:
    """The iterations over one loader that was built on the lines in question, those of the one with most."""
    return _of_one_loader(one for one in _of_main(run) if _is_built_here(run, one, suspect) and one.has_worked)


def _of_one_loader(passes: Iterable[Pass]) -> list[Pass]:
    """Those over the loader that was iterated most often."""
    by_loader: dict[int, list[Pass]] = {}
    for one in passes:
        by_loader.setdefault(one.loader, []).append(one)
    return max(by_loader.values(), key=len, default=[])


def _of_main(run: Run) -> Iterator[Pass]:
    return (one for one in run.passes if one.pid == run.main and one.batches)


def _is_built_here(run: Run, one: Pass, suspect: Suspect) -> bool:
    loader = run.loader(one.loader, one.pid)
    return loader is not None and suspect.is_at(loader.site)


def _is_inside(run: Run, one: Pass, begun: list[Pass]) -> bool:
    """Whether another loader was being gone through: begun before, with a batch for each of these."""
    loaders = {other.loader for other in begun}
    outer = (other for other in _of_main(run) if other.number < one.number and other.loader not in loaders)
    return len(loaders) > 1 and any(other.batches >= len(loaders) for other in outer)


def _with_own_workers(passes: list[Pass]) -> list[Pass]:
    """Those of some iterations that worked with processes which none before them had."""
    seen: set[int] = set()
    fresh = []
    for one in passes:
        if one.pids and seen.isdisjoint(one.pids):
            fresh.append(one)
        seen.update(one.pids)
    return fresh


def _told(run: Run, passes: list[Pass]) -> str:
    workers, batches = sum(one.workers for one in passes), sum(one.batches for one in passes)
    seconds = sum(one.start_seconds for one in passes)
    same = ", the same first batch each time" if _is_same_first(run, passes) else ""
    return f"{workers} workers started in {len(passes)} turns for {batches} batches{same} ({seconds:.1f} s to start)"


def _is_same_first(run: Run, passes: list[Pass]) -> bool:
    """Whether the first worker fetched the same first sample in each of the iterations."""
    firsts = []
    for one in passes:
        found = [s for s in run.samples if s.passed == one.number and s.worker == 0 and s.pid in one.pids]
        firsts.append(found[0].digest if found else "")
    return all(firsts) and len(set(firsts)) == 1
