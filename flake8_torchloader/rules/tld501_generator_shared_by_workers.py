"""TLD501: a random generator that all workers draw the same numbers from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.randomness import judge_streams
from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.start_method import ALL_METHODS, spell
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict

_RENEW = "make it in the worker from get_worker_info().seed"
_REMEDIES = {
    "torch.Generator": "let workers draw from torch's own generator",
    "albumentations.Compose": "call its set_random_seed() in worker_init_fn",
}
_ALBUMENTATIONS = " (albumentations 1.4.21 to 2.0.8)"


class GeneratorSharedByWorkers(Rule):
    """A random generator is made in `__init__` or at module level, and workers draw from it.

    What goes wrong
    ---------------
    Every worker gets a copy of the generator in one and the same state, so all of them draw the same
    numbers: with 8 workers each augmentation comes 8 times, and again in each epoch, unless workers
    are persistent. An unseeded `default_rng()` is no better, because it is copied after it was made.
    Nothing crashes; the data merely vary less than they seem to. What `random`, `torch` and
    `numpy.random` keep for everybody is not concerned: torch seeds these for each worker and each
    epoch. It cannot know of `numpy.random.Generator` and `RandomState`, `random.Random`,
    `torch.Generator`, or what holds one: `albumentations.Compose`, from release 1.4.21 to 2.0.8.

    Ruff's NPY002 asks for a `Generator` in the place of `np.random.rand()`. Both rules are content
    with one that is made in the worker, at the first item: see below. Its seed is the one that torch
    gave to this worker for this epoch; outside of workers there is none, and None is right.

    How it is proved
    ----------------
    The program is run under each start method, and the states of all generators within reach of the
    dataset are compared: one that begins equal in two workers, or in two epochs, and is then drawn
    from, confirms it. One that is seeded anew for each item doesn't.

    Example
    -------
        import numpy as np
        from torch.utils.data import Dataset


        class Noise(Dataset):
            def __init__(self):
                self.rng = np.random.default_rng(0)

            def __getitem__(self, index):
                return self.rng.normal(size=3)

            def __len__(self):
                return 8

    Use instead
    -----------
        import numpy as np
        from torch.utils.data import Dataset, get_worker_info


        class Noise(Dataset):
            def __init__(self):
                self.rng = None

            def __getitem__(self, index):
                if self.rng is None:
                    info = get_worker_info()
                    self.rng = np.random.default_rng(info.seed if info else None)
                return self.rng.normal(size=3)

            def __len__(self):
                return 8

    Does not see
    ------------
    Generators in other files; a generator that worker code itself makes of a constant seed. One that
    is seeded again, or replaced, anywhere but in `__init__` is trusted. The order that an
    IterableDataset shuffles its files into is left alone, because its workers may have to agree on
    it. Which release of albumentations will be there is unknown: a file that uses what it had only
    before is left alone.
    """

    code = "TLD501"
    name = "generator-shared-by-workers"
    message = "{generator}{release} begins alike in every worker{where}: all draw the same numbers; {remedy}"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each such generator, where it is made."""
        for generator in module.generators:
            is_library = generator.source.startswith("albumentations.")
            words = {
                "generator": generator.name,
                "release": _ALBUMENTATIONS if is_library else "",
                "where": "" if generator.methods == ALL_METHODS else f" {spell(generator.methods)}",
                "remedy": _REMEDIES.get(generator.source, _RENEW),
            }
            drawn = ((generator.draws[0], "workers draw from it here"),)
            yield Hazard(generator.site, words, generator.methods, (*drawn, *sent_by(generator.loaders)))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a generator of the program's own that begins equal where several workers draw from it."""
        return judge_streams(runs, self.trials, suspect, is_global=False)
