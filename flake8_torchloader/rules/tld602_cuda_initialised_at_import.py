"""TLD602: CUDA that every worker initialises while it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.cuda import opened_at_import, settle_cuda
from flake8_torchloader.module import Module, Place
from flake8_torchloader.observed import Pass
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class CudaInitialisedAtImport(Rule):
    """CUDA is initialised by code that runs when the file is imported, in a program that starts workers.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the file again, and so initialises CUDA as well, which it never
    needs. It starts later for that, and as soon as a device is set or a tensor is made there, it holds a CUDA context
    of its own: 524 MiB of the GPU's memory in each worker on an H100.
    (Under fork the workers inherit a CUDA that they can't use; that harms only workers that do, see TLD601.)

    How it is proved
    ----------------
    The program is run under forkserver and spawn on a machine with a GPU: CUDA is found initialised in a worker
    once it has imported the file. Without a GPU nothing can be said, unless no process of the program ever asks for
    one.

    Example
    -------
        import torch
        from torch.utils.data import DataLoader

        torch.cuda.set_device(0)

        if __name__ == "__main__":
            for batch in DataLoader(range(8), num_workers=2):
                print(batch.cuda())

    Use instead
    -----------
        import torch
        from torch.utils.data import DataLoader

        if __name__ == "__main__":
            torch.cuda.set_device(0)
            for batch in DataLoader(range(8), num_workers=2):
                print(batch.cuda())

    Does not see
    ------------
    Programs whose loaders all stand in other files; what a library does when it is imported; devices that are not
    known in the file; `torch.set_default_tensor_type`. A network that is moved to a GPU at import is TLD103's. Asking
    is no initialising: `is_available`, `device_count`, `manual_seed`, `torch.device` and `torch.Generator` are left
    alone. Only the first line is reported.
    """

    code = "TLD602"
    name = "cuda-initialised-at-import"
    message = (
        '{use} initialises CUDA at import: {methods} in every worker too; put it under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS
    trials = (Trial.CONTROL, Trial.FORKSERVER, Trial.SPAWN, Trial.REIMPORT)

    def check(self, module: Module) -> Iterator[Hazard]:
        """The first line that initialises CUDA wherever the file is imported."""
        networks = {model.site for model in module.models if Place.IMPORT in model.places}
        uses = (use for use in module.cuda if use.place is Place.IMPORT and use.site not in networks)
        first = min(uses, key=lambda use: module.span(use.site), default=None)
        if first is not None:
            yield Hazard(first.site, {"use": first.use}, first.methods)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by workers in which CUDA was initialised as soon as they had imported the file."""

        def harm(run: Run) -> str:
            return opened_at_import(run) if any(one.workers for one in runs[Trial.CONTROL].loaders) else ""

        def passes(run: Run) -> tuple[Pass, ...]:
            return run.passes

        return settle_cuda(runs, self.trials, harm, passes, witness=Trial.REIMPORT)
