"""TLD103: a network that every worker builds again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module, Place
from flake8_torchloader.observed import Pass
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.settings import spell_size
from flake8_torchloader.start_method import PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle, spell_cost


class ModelBuiltAtImport(Rule):
    """A network is built at module level of a program that starts workers.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the file again and builds the network too, though
    no worker ever needs it: time at every start, memory in every worker, and, if the network is
    moved to a GPU, one CUDA context and one copy of the weights per worker.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the line is seen to build its network in the
    workers as well, with the seconds and the bytes that importing the file costs there.

    Example
    -------
        from torch import nn
        from torch.utils.data import DataLoader

        model = nn.Sequential(nn.Linear(8, 8), nn.ReLU())


        def main():
            for batch in DataLoader(range(8), num_workers=2):
                model(batch)


        if __name__ == "__main__":
            main()

    Use instead
    -----------
        from torch import nn
        from torch.utils.data import DataLoader


        def main():
            model = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            for batch in DataLoader(range(8), num_workers=2):
                model(batch)


        if __name__ == "__main__":
            main()

    Does not see
    ------------
    Networks of unknown classes whose `parameters()` are never asked for; programs whose loaders all
    stand in files that this one does not import.
    """

    code = "TLD103"
    name = "model-built-at-import"
    message = (
        '{model} is built at import: {methods} every worker builds it again; build it under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS
    trials = (Trial.CONTROL, Trial.FORKSERVER, Trial.SPAWN, Trial.REIMPORT)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Networks that are built wherever the file is imported, in a file that starts workers."""
        busy = [loader.methods for loader in module.loaders if loader.has_workers]
        if not busy:
            return
        methods = frozenset().union(*busy)
        for model in module.models:
            if Place.IMPORT in model.places:
                words = {"model": model.name}
                yield Hazard(model.site, words, methods)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by another process that builds a network by way of this line."""

        def harm(run: Run) -> str:
            if not any(one.workers for one in runs[Trial.CONTROL].loaders):
                return ""
            pids = {one.pid for one in run.models if one.passes(suspect.file, suspect.line)} - {run.main}
            return f"built again in {spell_cost(run, pids)}{_kept(run, pids)}" if pids else ""

        def concerned(run: Run) -> tuple[Pass, ...]:
            built = any(one.passes(suspect.file, suspect.line) for one in run.models)
            return run.passes if built else suspect.passes(run)

        return settle(runs, self.trials, harm, concerned, witness=Trial.REIMPORT)


def _kept(run: Run, pids: set[int]) -> str:
    """The parameters that these processes keep without need."""
    kept = sum(one.parameter_bytes for one in run.models_held if one.pid in pids)
    return f"; {spell_size(kept)} of parameters are kept there" if kept else ""
