"""TLD903: workers that end with each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.restarting import judge_restarts, over_same_loader
from flake8_torchloader.module import Module, Pace
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class WorkersRestartedEachEpoch(Rule):
    """A loader without `persistent_workers` is iterated once for each epoch, and starts its workers each time.

    What goes wrong
    ---------------
    The workers end with the epoch, and the next one begins with starting them again: some hundredths of a second
    under fork, but seconds under spawn and forkserver, where each worker imports torch, and what else the program
    imports, anew. With short epochs that is most of the time. Caches that a dataset fills in its workers are lost
    as well.

    How it is proved
    ----------------
    The program is run under each start method: a second iteration over the same loader whose workers are other
    processes than those of the first confirms it, with the time that it took to start them.

    Example
    -------
        from torch.utils.data import DataLoader


        def train(dataset, model, epochs):
            loader = DataLoader(dataset, num_workers=4)
            for epoch in range(epochs):
                for batch in loader:
                    model(batch)

    Use instead
    -----------
        from torch.utils.data import DataLoader


        def train(dataset, model, epochs):
            loader = DataLoader(dataset, num_workers=4, persistent_workers=True)
            for epoch in range(epochs):
                for batch in loader:
                    model(batch)

    Does not see
    ------------
    Epochs that a library counts, such as those of a trainer. It is opt-in, because workers that live on keep their
    memory, and their copy of the dataset, so that ending them may be meant.
    """

    code = "TLD903"
    name = "workers-restarted-each-epoch"
    message = "{loader} starts {workers} again at each epoch; they live on with persistent_workers=True"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
    is_opt_in = True

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders that are gone through again and again, with workers that don't live on."""
        for restart in module.restarts:
            if restart.pace is Pace.EPOCH:
                count = restart.workers.only
                workers = f"its {count} workers" if isinstance(count, int) and count > 1 else "its workers"
                yield Hazard(restart.site, {"loader": restart.name, "workers": workers})

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a later iteration over the same loader that has workers of its own."""
        return judge_restarts(runs, self.trials, suspect, over_same_loader)
