"""TLD504: what a worker writes to its dataset stays with that worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module, Written
from flake8_torchloader.observed import AttributeSeen
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle
from flake8_torchloader.worker_seen import FirstFetch

_LASTING = ("dict", "list", "set", "int", "float", "ndarray", "defaultdict", "OrderedDict", "Counter", "deque")
"""Types, as an outline begins with them, of what is changed in place or counted."""

_HARM = {
    Written.CONTAINER: "it fills in each worker apart, and is lost with it",
    Written.NUMBER: "each worker counts for itself, and the parent sees nothing",
    Written.ITEM: "each worker changes its own, again in every epoch",
}
_INSTEAD = {
    Written.CONTAINER: "fill it in __init__, or share it",
    Written.NUMBER: "return what is to be counted",
    Written.ITEM: "change a copy",
}


class DatasetWrittenInWorker(Rule):
    """Worker code changes what its dataset keeps: a cache, a counter, or an item.

    What goes wrong
    ---------------
    Each worker has a dataset of its own. A cache that `__getitem__` fills holds each item once per worker, which is
    memory times workers, and unless workers persist it is empty again in the next epoch. A counter counts a part, and
    the one in the parent stays where it was. An item that is edited in place is edited again whenever it comes round,
    in the control as well as in workers, but in each of them at another time.

    How it is proved
    ----------------
    The program is run under each start method: an attribute of the dataset that a worker's first fetch changes, while
    the parent's stays as it was, confirms it.

    Example
    -------
        from torch.utils.data import Dataset


        class Scans(Dataset):
            def __init__(self, paths):
                self.paths = paths
                self.cache = {}

            def __getitem__(self, index):
                if index not in self.cache:
                    self.cache[index] = self.paths[index].read_bytes()
                return self.cache[index]

    Use instead
    -----------
        from torch.utils.data import Dataset


        class Scans(Dataset):
            def __init__(self, paths):
                self.paths = paths

            def __getitem__(self, index):
                return self.paths[index].read_bytes()

    Does not see
    ------------
    Writes through another name for the container; caches of decorators. It is opt-in, because a cache in each worker
    may be meant: with `persistent_workers` it serves every epoch but the first.
    """

    code = "TLD504"
    name = "dataset-written-in-worker"
    message = "{attribute} is written by worker code: {harm}; {instead}"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
    is_opt_in = True

    def check(self, module: Module) -> Iterator[Hazard]:
        """Lines of worker code that change what lasts on a dataset."""
        for write in module.writes:
            words = {"attribute": write.attribute, "harm": _HARM[write.what], "instead": _INSTEAD[write.what]}
            yield Hazard(write.site, words, notes=sent_by(write.loaders))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a fetch that changed an attribute in a worker; which line did so is not known."""

        def harm(run: Run) -> str:
            changes = [text for one in run.first_fetches if one.worker is not None for text in _changes(one)]
            return f"{changes[0]} in a worker; the parent's stays as it was" if changes else ""

        return settle(runs, self.trials, harm, lambda run: suspect.passes(run) or run.passes)


def _changes(fetch: FirstFetch) -> Iterator[str]:
    """The lasting attributes of the dataset that a fetch changed, in words."""
    before = {seen.name: seen for seen in fetch.attributes_before}
    for now in fetch.attributes_after:
        then = before.get(now.name)
        lasts = then is not None and then.outline.startswith(_LASTING) and now.outline.startswith(_LASTING)
        if then is not None and lasts and _differ(then, now):
            change = "contents changed" if then.outline == now.outline else f"{then.outline} became {now.outline}"
            yield f"{now.name}: {change}"


def _differ(then: AttributeSeen, now: AttributeSeen) -> bool:
    """Whether an attribute was changed: of contents without a digest, such as open files, nothing is known."""
    is_known = bool(then.digest and now.digest)
    return then.outline != now.outline or is_known and then.digest != now.digest
