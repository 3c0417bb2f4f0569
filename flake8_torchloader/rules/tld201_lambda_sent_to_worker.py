"""TLD201: a lambda that must be pickled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.sending import judge_sending
from flake8_torchloader.module import Kind, Module
from flake8_torchloader.observed import Unfit
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.start_method import PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class LambdaSentToWorker(Rule):
    """A lambda is part of what a loader sends to its workers.

    What goes wrong
    ---------------
    Under spawn and forkserver the dataset, `collate_fn` and `worker_init_fn` are pickled, and a
    function is pickled by its name, which a lambda doesn't have: `AttributeError: Can't pickle local
    object 'main.<locals>.<lambda>'` or `PicklingError`, before the first batch. Under fork nothing
    is pickled, which is why such code worked on Linux until Python 3.14.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the pickling error names the attribute that holds
    the lambda. The control without workers runs.

    Example
    -------
        from torch.utils.data import DataLoader

        if __name__ == "__main__":
            loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
            print(next(iter(loader)))

    Use instead
    -----------
        from torch.utils.data import DataLoader


        def keep(batch):
            return batch


        if __name__ == "__main__":
            loader = DataLoader(range(8), collate_fn=keep, num_workers=2)
            print(next(iter(loader)))

    Does not see
    ------------
    Lambdas that a file which imports this one puts into the dataset; lambdas given to unknown functions or classes
    other than as a transform. Samplers stay in the parent: a lambda there is fine.
    """

    code = "TLD201"
    name = "lambda-sent-to-worker"
    message = "lambda in {slot} of {carrier} can't be pickled: no worker starts {methods}; use a module-level def"
    message_in_notebook = (
        "lambda in {slot} of {carrier} can't be pickled: no worker starts {methods}; use a def of an imported module"
    )
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Lambdas among what crosses."""
        for crossing in module.crossings:
            if crossing.kind is Kind.LAMBDA:
                words = {"slot": crossing.slot, "carrier": crossing.carrier}
                is_elsewhere = crossing.definition is not None and crossing.definition != crossing.site
                notes = ((crossing.definition, "the lambda stands here"),) if is_elsewhere else ()
                yield Hazard(crossing.site, words, crossing.methods, (*notes, *sent_by(crossing.loaders)))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by the pickler's refusal of a lambda that this finding is about."""
        return judge_sending(runs, self.trials, suspect, frozenset({Unfit.LAMBDA}))
