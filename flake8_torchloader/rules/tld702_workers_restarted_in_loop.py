"""TLD702: workers that are started for one batch, and then again for the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.restarting import judge_restarts, left_after_few
from flake8_torchloader.module import Module, Pace, Restart
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class WorkersRestartedInLoop(Rule):
    """A loop starts the workers of a loader again for every single batch.

    What goes wrong
    ---------------
    `iter(loader)` starts all workers, has them fetch two batches each, and `next` takes one of these; the rest is
    thrown away. In a loop that costs 24 times as much per batch as keeping the iterator under fork, and more than a
    thousand times as much under spawn and forkserver, where each worker imports torch anew. A loader that does not
    shuffle gives its first batch each time, so that the program sees nothing else of the data.

    How it is proved
    ----------------
    The program is run under each start method: iterations that are left behind after one batch or two, each with
    workers of its own, confirm it, and so do loaders that one line builds while another loader is gone through.

    Example
    -------
        from torch.utils.data import DataLoader


        def train(dataset, model, steps):
            loader = DataLoader(dataset, shuffle=True, num_workers=4)
            for _ in range(steps):
                model(next(iter(loader)))

    Use instead
    -----------
        from torch.utils.data import DataLoader


        def endless(loader):
            while True:
                yield from loader


        def train(dataset, model, steps):
            batches = endless(DataLoader(dataset, shuffle=True, num_workers=4))
            for _ in range(steps):
                model(next(batches))

    Does not see
    ------------
    What happens under a condition, because that may be seldom; loops over a few things, or whose variable is called
    an epoch or a fold.
    """

    code = "TLD702"
    name = "workers-restarted-in-loop"
    message = "{loader} {what}; {instead}"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders that are begun, or built, for each batch."""
        for restart in module.restarts:
            if restart.pace is Pace.EPOCH:
                continue
            words = {"loader": restart.name, "what": _what(restart), "instead": _instead(restart)}
            yield Hazard(restart.site, words, notes=((restart.loader, f"{restart.name} is built here"),))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by workers that were started again before what they had fetched was used."""
        return judge_restarts(runs, self.trials, suspect, left_after_few)


def _what(restart: Restart) -> str:
    if restart.pace is Pace.BUILT:
        return "is built for each batch of another loader, and starts its workers each time"
    again = " and gives the same first batch" if restart.repeats else ""
    return f"starts its workers again at each step{again}"


def _instead(restart: Restart) -> str:
    if restart.pace is Pace.BUILT:
        return "build it once, or with num_workers=0"
    return "call iter() once before the loop, and next() in it"
