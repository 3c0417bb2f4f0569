"""TLD105: a start method that is set once too often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.main_program import Again
from flake8_torchloader.module import Module
from flake8_torchloader.observed import Failure
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle

_REFUSAL = "context has already been set"
_HARMS: Mapping[Again, str] = {
    Again.IMPORT: 'at import: each worker sets it again and dies under {}; put it under if __name__ == "__main__":',
    Again.TWICE: "a second time: RuntimeError: context has already been set; set it once, or use get_context()",
    Again.DATASET: "for each dataset or item: RuntimeError the second time; set it once, under the main guard",
}


class StartMethodSetAgain(Rule):
    """The start method is set at import without a guard, a second time, or by a dataset.

    What goes wrong
    ---------------
    A program can set its start method once. In a worker it is set from the beginning, and a worker that is spawned
    imports the program anew: a call at module level runs there as well, and the worker dies of `RuntimeError: context
    has already been set`. The same happens to the main program where a second call follows, or where a dataset makes
    the call and there are two of them. `force=True` and `try: ... except RuntimeError` avoid it.

    How it is proved
    ----------------
    The program is run: the RuntimeError comes from this line, in a worker or in the main program.

    Example
    -------
        import torch.multiprocessing as mp
        from torch.utils.data import DataLoader

        mp.set_start_method("spawn")

        if __name__ == "__main__":
            print(list(DataLoader(range(8), num_workers=2)))

    Use instead
    -----------
        import torch.multiprocessing as mp
        from torch.utils.data import DataLoader

        if __name__ == "__main__":
            mp.set_start_method("spawn")
            print(list(DataLoader(range(8), num_workers=2)))

    Does not see
    ------------
    Calls in other files, and calls under a condition. A call at import is only reported in a file that makes a loader
    with workers, or imports one of the project that does, and if it is seen to ask for spawn or forkserver: forked
    workers don't import the file again.
    """

    code = "TLD105"
    name = "start-method-set-again"
    message = "start method {method}is set {harm}"

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each call that will be refused."""
        for call in module.start_methods:
            method = f"{call.method} " if call.method else ""
            yield Hazard(call.site, {"method": method, "harm": _HARMS[call.again].format(call.method)}, call.methods)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by the RuntimeError of this very line, in whichever process."""

        def harm(run: Run) -> str:
            here = (one for one in _raised(run) if _REFUSAL in one.text and any(map(suspect.is_at, one.sites)))
            return next((f"{one.headline} in {_where(run, one.pid)}" for one in here), "")

        return settle(runs, self.trials, harm, suspect.passes, witness=Trial.CONTROL)


def _raised(run: Run) -> Iterator[Failure]:
    """All exceptions of a run that nobody caught, or that broke a loop."""
    in_workers, in_loops = (one.failure for one in run.workers), (one.failure for one in run.passes)
    yield from (one for one in (run.crash, *run.child_failures, *in_workers, *in_loops) if one is not None)


def _where(run: Run, pid: int) -> str:
    return "the main program" if pid == run.main else "a worker"
