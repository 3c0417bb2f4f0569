"""TLD202: a nested function or local class that must be pickled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.sending import judge_sending
from flake8_torchloader.module import Kind, Module
from flake8_torchloader.observed import Unfit
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.start_method import PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class LocalFunctionSentToWorker(Rule):
    """A function or class that is defined inside a function is part of what a loader sends.

    What goes wrong
    ---------------
    Under spawn and forkserver the dataset, `collate_fn` and `worker_init_fn` are pickled, and
    functions and classes are pickled by name. No name leads to one that is defined inside another
    function: `AttributeError: Can't pickle local object 'main.<locals>.collate'`, before the first
    batch. Under fork nothing is pickled.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the pickling error names the attribute that holds
    the function. The control without workers runs.

    Example
    -------
        from torch.utils.data import DataLoader


        def main():
            def collate(batch):
                return batch

            print(next(iter(DataLoader(range(8), collate_fn=collate, num_workers=2))))


        if __name__ == "__main__":
            main()

    Use instead
    -----------
        from torch.utils.data import DataLoader


        def collate(batch):
            return batch


        def main():
            print(next(iter(DataLoader(range(8), collate_fn=collate, num_workers=2))))


        if __name__ == "__main__":
            main()

    Does not see
    ------------
    Functions that a library's factory returns, and attributes of a data module whose loader another
    file makes. What a closure shares can become the attributes of a module-level class with
    `__call__`, or the arguments of `functools.partial`.
    """

    code = "TLD202"
    name = "local-function-sent-to-worker"
    message = "{kind} {local} in {slot} of {carrier}: workers fail to start {methods}; define it at module level"
    message_in_notebook = (
        "{kind} {local} in {slot} of {carrier}: workers fail to start {methods}; import it from a module"
    )
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Nested functions and objects of local classes among what crosses."""
        for crossing in module.crossings:
            if crossing.kind is not Kind.LAMBDA:
                words = {
                    "kind": crossing.kind.value,
                    "local": crossing.name,
                    "slot": crossing.slot,
                    "carrier": crossing.carrier,
                }
                notes = ((crossing.definition, f"{crossing.name} is defined here"),) if crossing.definition else ()
                yield Hazard(crossing.site, words, crossing.methods, (*notes, *sent_by(crossing.loaders)))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by the pickler's refusal of a nested function or local class that this finding is about."""
        return judge_sending(runs, self.trials, suspect, frozenset({Unfit.LOCAL_FUNCTION, Unfit.LOCAL_CLASS}))
