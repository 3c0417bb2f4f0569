"""TLD101: a loader that starts its workers while the file is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module, Place
from flake8_torchloader.observed import Pass
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import PICKLING_METHODS, StartMethod
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle


class LoaderIteratedAtImport(Rule):
    """A loader with workers is iterated by code that runs when the file is imported.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the main program again before it does anything.
    If that import iterates the loader, the worker tries to start workers itself, and Python stops
    it: `An attempt has been made to start a new process before the current process has finished its
    bootstrapping phase`. The parent then fails with `DataLoader worker (pid(s) ...) exited
    unexpectedly`, or, under spawn with more than 64 KiB to send, hangs for ever.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the bootstrapping error, or a start that never
    ends, confirms it. The same program without workers is the control. A loader behind one that
    breaks is seen by letting one more process run the file's module level, without workers.

    Example
    -------
        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=2)
        for batch in loader:
            print(batch)

    Use instead
    -----------
        from torch.utils.data import DataLoader


        def main():
            loader = DataLoader(range(8), num_workers=2)
            for batch in loader:
                print(batch)


        if __name__ == "__main__":
            main()

    Does not see
    ------------
    A loop that somebody else's function runs where the loader reaches it other than as an argument;
    a test such as `get_worker_info() is None`, which is no guard, is treated as none.
    """

    code = "TLD101"
    name = "loader-iterated-at-import"
    message = (
        '{loader} is iterated at import: {methods} its workers crash; put the loop under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS
    trials = (Trial.CONTROL, Trial.FORKSERVER, Trial.SPAWN, Trial.REIMPORT)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders that are built and iterated wherever the file is imported."""
        for loader in module.loaders:
            uses = loader.iterated_at_import
            if not loader.has_workers or Place.IMPORT not in loader.places or not uses:
                continue
            words = {"loader": loader.name}
            notes = tuple((use.site, f"{loader.name} is iterated here") for use in uses)
            yield Hazard(loader.site, words, loader.methods, notes)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a process that can't become a worker, because its import iterates the loader of this line.

        A loader that another file made when it was imported is known by the line that iterates it.
        """

        def over(run: Run) -> tuple[Pass, ...]:
            return run.passes_over(suspect.file, suspect.line) or run.passes_from(suspect.file, suspect.line)

        def harm(run: Run) -> str:
            elsewhere_first = sorted(over(run), key=lambda one: one.pid == run.main)
            return next(filter(None, (_break(run, one) for one in elsewhere_first)), "")

        return settle(runs, self.trials, harm, over, witness=Trial.REIMPORT)


def _break(run: Run, one: Pass) -> str:
    """How an iteration kept workers from being started, if it did."""
    if run.trial is Trial.REIMPORT:
        return f"a process that is started iterates it again ({one.site})" if _wants_fresh_workers(run, one) else ""
    if one.pid != run.main:
        failure = one.failure
        return f"{failure.headline} ({one.site})" if failure is not None and failure.is_bootstrapping else ""
    broken = next((again.failure for again in run.main_again if again.failure is not None), None)
    if broken is None or any(worker.has_reached_loop for worker in run.workers if worker.pid in one.pids):
        return ""
    if one.failure is not None and one.pids:
        return f"{broken.headline} ({broken.site}) in each worker; here {one.failure.headline}"
    return f"{run.ending.value} ({one.site})" if run.ending is Ending.STUCK and not one.pids else ""


def _wants_fresh_workers(run: Run, one: Pass) -> bool:
    loader = run.loader(one.loader, one.pid)
    is_again = one.pid != run.main
    return is_again and loader is not None and loader.workers > 0 and loader.context is not StartMethod.FORK
