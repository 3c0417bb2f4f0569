"""TLD601: CUDA inside worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.cuda import failed_after_fork, opened_in_workers, settle_cuda
from flake8_torchloader.module import Module, Place
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.start_method import PICKLING_METHODS, StartMethod
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class CudaInWorker(Rule):
    """Code that a loader's workers run uses CUDA, or the dataset they are sent holds tensors that lie on a GPU.

    What goes wrong
    ---------------
    CUDA does not survive a fork. Once the parent has touched it, and `torch.cuda.is_available()` is enough for that
    (unless `PYTORCH_NVML_BASED_CUDA_CHECK=1` is set), a forked worker that uses it fails: `RuntimeError: Cannot
    re-initialize CUDA in forked subprocess`. Under spawn and forkserver it works, and every worker makes a
    CUDA context of its own, which takes hundreds of megabytes of the GPU's memory and seconds at each start.

    How it is proved
    ----------------
    The program is run under each start method on a machine with a GPU: the failure in a forked worker, or CUDA
    that comes alive in the workers, confirms it. Without a GPU nothing can be said, unless no process of the program
    ever asks for one.

    Example
    -------
        import torch
        from torch.utils.data import DataLoader, Dataset

        device = "cuda" if torch.cuda.is_available() else "cpu"


        class Squares(Dataset):
            def __len__(self):
                return 8

            def __getitem__(self, index):
                return torch.tensor(index**2).to(device)


        if __name__ == "__main__":
            for batch in DataLoader(Squares(), num_workers=2):
                print(batch.sum())

    Use instead
    -----------
        import torch
        from torch.utils.data import DataLoader, Dataset

        device = "cuda" if torch.cuda.is_available() else "cpu"


        class Squares(Dataset):
            def __len__(self):
                return 8

            def __getitem__(self, index):
                return torch.tensor(index**2)


        if __name__ == "__main__":
            for batch in DataLoader(Squares(), num_workers=2, pin_memory=True):
                print(batch.to(device, non_blocking=True).sum())

    Does not see
    ------------
    Datasets for which no loader with workers is seen in the file that is linted; devices that are not known there, such
    as a parameter that nobody fills, an `accelerator.device`, or a number; models of a library that choose a device
    themselves; `torch.set_default_device` and `torch.set_default_tensor_type`. Of a function only the first use is
    reported. What stands under a condition that asks for workers is left alone, and so is what is used in one case
    where the loader has no workers in one case.
    """

    code = "TLD601"
    name = "cuda-in-worker"
    message = "{use} {verb} workers: {harm}; move batches in the training loop"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """What workers run or are sent."""
        for use in module.cuda:
            if use.place is not Place.IMPORT:
                methods = use.methods & self.settings.start_methods
                verb = "sends CUDA tensors to" if use.place is Place.BUILD else "uses CUDA in"
                words = {"use": use.use, "verb": verb, "harm": _spell_harm(methods)}
                elsewhere = ((use.at, "CUDA is used here"),) if use.at is not None else ()
                yield Hazard(use.site, words, use.methods, (*sent_by(use.loaders), *elsewhere))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a forked worker that fails for CUDA on this line, or by workers that bring CUDA to life."""

        def harm(run: Run) -> str:
            return failed_after_fork(run, suspect) or opened_in_workers(run, suspect)

        return settle_cuda(runs, self.trials, harm, suspect.passes)


def _spell_harm(methods: frozenset[StartMethod]) -> str:
    """What happens: fork fails only where the parent came first, all else costs."""
    costs = "each makes a context"
    if StartMethod.FORK not in methods:
        return costs
    fails = "fails under fork once the parent touched it"
    return f"{fails}, else {costs}" if methods & PICKLING_METHODS else fails
