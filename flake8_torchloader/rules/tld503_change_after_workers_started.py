"""TLD503: a change of the dataset that persistent workers never hear of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module
from flake8_torchloader.observed import AttributeSeen, Pass
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle
from flake8_torchloader.worker_seen import FirstFetch


class ChangeAfterWorkersStarted(Rule):
    """The parent changes a dataset after persistent workers have got their copies of it.

    What goes wrong
    ---------------
    Workers get a copy of the dataset when they start. With `persistent_workers=True` they start
    once, in the first epoch, and whatever the parent sets on its own dataset later stays there: the
    epoch that a curriculum counts, the size of images, a transform that is switched off for the last
    epochs. Nothing crashes. Without persistent workers each epoch gets a new copy, and the change
    arrives.

    How it is proved
    ----------------
    The program is run under each start method: an attribute that the parent has changed between two
    epochs, and that is as before in a worker, confirms it.

    Example
    -------
        from torch.utils.data import DataLoader, Dataset


        class Growing(Dataset):
            def __init__(self):
                self.epoch = 0

            def set_epoch(self, epoch):
                self.epoch = epoch

            def __getitem__(self, index):
                return index * self.epoch

            def __len__(self):
                return 8


        def train(epochs, step):
            dataset = Growing()
            loader = DataLoader(dataset, num_workers=2, persistent_workers=True)
            for epoch in range(epochs):
                dataset.set_epoch(epoch)
                for batch in loader:
                    step(batch)

    Use instead
    -----------
        import torch
        from torch.utils.data import DataLoader, Dataset


        class Growing(Dataset):
            def __init__(self):
                self.epoch = torch.zeros((), dtype=torch.long).share_memory_()

            def set_epoch(self, epoch):
                self.epoch.fill_(epoch)

            def __getitem__(self, index):
                return index * self.epoch.item()

            def __len__(self):
                return 8


        def train(epochs, step):
            dataset = Growing()
            loader = DataLoader(dataset, num_workers=2, persistent_workers=True)
            for epoch in range(epochs):
                dataset.set_epoch(epoch)
                for batch in loader:
                    step(batch)

    Does not see
    ------------
    Changes that are made further from the loop than in a function which it calls, or there under a condition; those
    in place (`dataset.items.append(...)`); what is done to the parts of a `ConcatDataset`. An attribute that no
    worker code of its class reads is left alone, and so is what is changed `if epoch == 0`. A sampler stays
    in the parent: what is set there arrives.
    """

    code = "TLD503"
    name = "change-after-workers-started"
    message = (
        "{what} does not reach the persistent workers of {loader}, which keep their copies; share a tensor, or drop "
        "persistent_workers"
    )
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each such change, where it is made."""
        for change in module.changes:
            words = {"what": change.what, "loader": change.loader}
            yield Hazard(change.site, words, change.methods, sent_by(change.loaders))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by an attribute that the parent changed between two epochs, and a worker has as before."""

        def harm(run: Run) -> str:
            passes = suspect.passes(run) or run.passes
            return next((text for one in passes for text in _unheard_of(run, one, passes)), "")

        return settle(runs, self.trials, harm, suspect.passes)


def _unheard_of(run: Run, one: Pass, passes: tuple[Pass, ...]) -> Iterator[str]:
    """The attributes that a worker has in this iteration as the parent once had them, and has no longer."""
    same = (other for other in passes if one.pids and (other.loader, other.pids) == (one.loader, one.pids))
    fetches = [f for f in run.first_fetches if f.passed == one.number and f.worker is not None]
    now = {seen.name: seen for seen in one.attributes}
    for earlier in same:
        for seen in earlier.attributes if earlier.number < one.number else ():
            is_changed = seen.name in now and _differ(seen, now[seen.name])
            if is_changed and any(_has(fetch, seen) for fetch in fetches):
                yield f"dataset.{seen.name} is {now[seen.name].outline} in the parent and {seen.outline} in its workers"


def _differ(one: AttributeSeen, other: AttributeSeen) -> bool:
    return (one.outline, one.digest) != (other.outline, other.digest)


def _has(fetch: FirstFetch, seen: AttributeSeen) -> bool:
    """Whether a worker had an attribute in this very state."""
    return any(one.name == seen.name and not _differ(one, seen) for one in fetch.attributes_before)
