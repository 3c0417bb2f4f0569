"""TLD901: files that are read by the process that trains, while it could train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Evidence, Reason, Suspect, Verdict, confirmed, refuted, unknown, why_unreached


class FilesReadWithoutWorkers(Rule):
    """A loader says nothing of workers, while its dataset reads a file for each item.

    What goes wrong
    ---------------
    Without `num_workers` the process that trains reads and decodes each file itself, one after the other, and the
    GPU waits for it. Two workers took 0.6 of the time for items of 5 milliseconds on a machine with two cores; for
    data that are in memory already workers are slower than none, so only reading from files is spoken of.

    How it is proved
    ----------------
    The program is run as it is: a loader that gives batches without a worker process confirms it, with the seconds
    that its first batch took.

    Example
    -------
        import numpy as np
        from torch.utils.data import DataLoader, Dataset


        class Scans(Dataset):
            def __init__(self, paths):
                self.paths = paths

            def __getitem__(self, index):
                return np.load(self.paths[index])

            def __len__(self):
                return len(self.paths)


        def train(paths):
            for batch in DataLoader(Scans(paths), batch_size=8):
                print(batch)

    Use instead
    -----------
        import numpy as np
        from torch.utils.data import DataLoader, Dataset


        class Scans(Dataset):
            def __init__(self, paths):
                self.paths = paths

            def __getitem__(self, index):
                return np.load(self.paths[index])

            def __len__(self):
                return len(self.paths)


        def train(paths):
            for batch in DataLoader(Scans(paths), batch_size=8, num_workers=4):
                print(batch)

    Does not see
    ------------
    Datasets of other files and of unknown libraries; whether the files are few or small, which is why it is opt-in.
    A loader whose `num_workers=0` is written out has chosen.
    """

    code = "TLD901"
    name = "files-read-without-workers"
    message = (
        "{loader} has no num_workers: {reader} reads each file in the process that trains; num_workers=4 reads "
        "ahead, num_workers=0 says that it is meant"
    )
    trials = (Trial.CONTROL,)
    is_opt_in = True

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders of a dataset that reads files, to which nobody gave a number of workers."""
        for loader in module.constructions:
            if loader.reads_by and not loader.is_open and "num_workers" not in loader.given:
                yield Hazard(loader.site, {"loader": loader.name, "reader": loader.reads_by})

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by batches of a loader that was built without workers; the control is the program as it is."""
        run = runs.get(Trial.CONTROL)
        if run is None:
            return unknown(Reason.NO_TRIAL)
        built = [one for one in run.loaders if suspect.is_at(one.site)]
        numbers = {(one.number, one.pid) for one in built}
        passes = [one for one in run.passes if (one.loader, one.pid) in numbers and one.is_alive]
        if not passes:
            return unknown(why_unreached(run))
        batches = sum(one.batches for one in passes)
        if any(one.workers for one in built):
            return refuted(Evidence(Trial.CONTROL, f"it asks for workers, and gave {batches} batches"))
        seconds = [one.seconds for one in run.first_fetches if one.passed == passes[0].number]
        took = f", the first in {seconds[0]:.3f} s" if seconds else ""
        return confirmed(Evidence(Trial.CONTROL, f"{batches} batches fetched by the process that trains{took}"))
