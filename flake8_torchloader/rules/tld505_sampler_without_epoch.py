"""TLD505: a DistributedSampler that shuffles alike in every epoch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle


class SamplerWithoutEpoch(Rule):
    """A DistributedSampler shuffles over several epochs and is never told the epoch.

    What goes wrong
    ---------------
    The sampler shuffles by a generator that it seeds with its seed and the epoch, so that all
    processes agree on the order. The epoch is 0 until `set_epoch` says otherwise: each epoch has the
    order of the first. Nothing crashes, with workers or without; the network sees the same batches in
    the same order, and may learn less well.

    How it is proved
    ----------------
    The program is run with and without workers: indices that come in one and the same order in two
    iterations over the loader confirm it, unless that order is no shuffled one.

    Example
    -------
        from torch.utils.data import DataLoader, DistributedSampler


        def train(dataset, epochs, step):
            sampler = DistributedSampler(dataset)
            loader = DataLoader(dataset, sampler=sampler, num_workers=4)
            for epoch in range(epochs):
                for batch in loader:
                    step(batch)

    Use instead
    -----------
        from torch.utils.data import DataLoader, DistributedSampler


        def train(dataset, epochs, step):
            sampler = DistributedSampler(dataset)
            loader = DataLoader(dataset, sampler=sampler, num_workers=4)
            for epoch in range(epochs):
                sampler.set_epoch(epoch)
                for batch in loader:
                    step(batch)

    Does not see
    ------------
    Epochs that another file counts; samplers that are made anew in each epoch. A file that has the word
    `set_epoch` anywhere is left alone, and so is what it takes from files that have it, as are loaders
    that another library wraps or iterates, because Lightning and accelerate tell the sampler themselves.
    What is called validation or test needs no order.
    """

    code = "TLD505"
    name = "sampler-without-epoch"
    message = "{sampler} shuffles {loader} alike in every epoch; call its set_epoch(epoch) before each one"
    trials = (Trial.CONTROL, Trial.FORK)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each such sampler, where it is made."""
        for sampler in module.samplers:
            words = {"sampler": sampler.name, "loader": sampler.loader}
            loop = ((sampler.loop, "these epochs begin alike"),)
            yield Hazard(sampler.site, words, notes=(*loop, *sent_by(sampler.loaders)))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by two iterations over one loader with the same shuffled order of indices."""

        def harm(run: Run) -> str:
            loaders: defaultdict[int, list[int]] = defaultdict(list)
            for one in suspect.passes(run) or run.passes:
                loaders[one.loader].append(one.number)
            for numbers in loaders.values():
                orders = [_order(run, number) for number in numbers]
                alike = [order for order in orders if order == orders[0] and _is_shuffled(order)]
                if len(alike) > 1:
                    return f"{len(alike)} epochs began with the indices {', '.join(alike[0][0][1][:4])}"
            return ""

        return settle(runs, self.trials, harm, suspect.passes, witness=Trial.CONTROL)


Order = list[tuple[int, tuple[str, ...]]]
"""The indices that each worker was given in turn; the main process counts as worker -1."""


def _order(run: Run, number: int) -> Order:
    given: defaultdict[int, list[str]] = defaultdict(list)
    for sample in run.samples:
        if sample.passed == number:
            given[-1 if sample.worker is None else sample.worker].append(sample.index)
    return sorted((worker, tuple(indices)) for worker, indices in given.items())


def _is_shuffled(order: Order) -> bool:
    known = [[int(index) for index in indices if index.isdigit()] for _, indices in order]
    return any(indices != sorted(indices) for indices in known)
