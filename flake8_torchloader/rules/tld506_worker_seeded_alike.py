"""TLD506: a worker_init_fn whose seed is the same in every worker, or again in every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.randomness import judge_streams
from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class WorkerSeededAlike(Rule):
    """A `worker_init_fn` gives every worker the same seed, or the same again in each epoch.

    What goes wrong
    ---------------
    torch seeds `random`, `torch` and `numpy.random` in each worker, anew for each epoch, and then
    calls `worker_init_fn`. One that sets a constant undoes this: all workers draw the same numbers,
    in every epoch. `np.random.get_state()[1][0] + worker_id`, once the advice of many forums, is as
    bad in another way: since torch seeds numpy (1.9), that word of the state is 2147483648 in every
    worker, so that each epoch repeats the numbers of the first, whatever the seed of the program.

    How it is proved
    ----------------
    The program is run under each start method, and the states of the global generators are compared:
    one that begins equal in two workers, or in two epochs, and is then drawn from, confirms it.

    Example
    -------
        import numpy as np
        from torch.utils.data import DataLoader


        def seed_worker(worker_id):
            np.random.seed(np.random.get_state()[1][0] + worker_id)


        def make_loader(dataset):
            return DataLoader(dataset, num_workers=4, worker_init_fn=seed_worker)

    Use instead
    -----------
        import numpy as np
        import torch
        from torch.utils.data import DataLoader


        def seed_worker(worker_id):
            np.random.seed(torch.initial_seed() % 2**32)  # what torch 1.9 and later do without being asked


        def make_loader(dataset):
            return DataLoader(dataset, num_workers=4, worker_init_fn=seed_worker)

    Does not see
    ------------
    Seeds that other files set, or that are computed by unknown functions. `seed + worker_id` is left
    alone, though without persistent workers it repeats itself in each epoch as well: some want that.
    Whether anything draws from what is seeded is not asked.
    """

    code = "TLD506"
    name = "worker-seeded-alike"
    message = "{call} in {function} seeds {harm}; leave it to torch, or use torch.initial_seed()"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each such function, at its seed."""
        for seeding in module.seedings:
            harm = "all workers alike: they draw the same numbers"
            if seeding.is_repeated:
                harm = "each epoch alike: that word of numpy's state never changes"
            words = {"call": f"{seeding.call}()", "function": seeding.function, "harm": harm}
            yield Hazard(seeding.site, words, notes=sent_by(seeding.loaders))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a global generator that begins equal in two workers or epochs, and is drawn from."""
        return judge_streams(runs, self.trials, suspect, is_global=True)
