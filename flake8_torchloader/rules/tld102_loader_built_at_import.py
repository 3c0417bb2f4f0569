"""TLD102: a loader that every worker builds again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module, Place
from flake8_torchloader.observed import Pass
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import PICKLING_METHODS, StartMethod
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle, spell_cost


class LoaderBuiltAtImport(Rule):
    """A loader with workers is built by code that runs when the file is imported.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the file again, and so builds the dataset and the
    loader a second time: once per worker, and once more every epoch unless the workers persist. The
    time and the memory of it are lost. The day somebody adds a loop at module level, it crashes.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the line is seen to build its loader in the
    workers as well, with the seconds and the bytes that importing the file costs there.

    Example
    -------
        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=2)

        if __name__ == "__main__":
            for batch in loader:
                print(batch)

    Use instead
    -----------
        from torch.utils.data import DataLoader

        if __name__ == "__main__":
            loader = DataLoader(range(8), num_workers=2)
            for batch in loader:
                print(batch)

    Does not see
    ------------
    Which scripts import this file; a loader that an imported file builds is reported there.
    """

    code = "TLD102"
    name = "loader-built-at-import"
    message = (
        '{loader} is built at import: {methods} every worker builds it again; build it under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS
    trials = (Trial.CONTROL, Trial.FORKSERVER, Trial.SPAWN, Trial.REIMPORT)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders that are built wherever the file is imported, and iterated elsewhere or not at all."""
        for loader in module.loaders:
            if loader.has_workers and Place.IMPORT in loader.places and not loader.iterated_at_import:
                words = {"loader": loader.name}
                yield Hazard(loader.site, words, loader.methods)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by another process that builds the loader of this line."""

        def harm(run: Run) -> str:
            built = [one for one in run.loaders_at(suspect.file, suspect.line) if one.workers]
            if run.trial is Trial.REIMPORT:
                built = [one for one in built if one.context is not StartMethod.FORK]
            pids = {one.pid for one in built} - {run.main}
            return f"built again in {spell_cost(run, pids)}" if pids else ""

        def passes(run: Run) -> tuple[Pass, ...]:
            return run.passes if run.loaders_at(suspect.file, suspect.line) else ()

        return settle(runs, self.trials, harm, passes, witness=Trial.REIMPORT)
