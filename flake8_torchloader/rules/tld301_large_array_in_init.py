"""TLD301: data that every worker gets a copy of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Array, Module
from flake8_torchloader.observed import Pass
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.settings import spell_size
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle


class LargeArrayInInit(Rule):
    """A dataset loads or makes a large array in `__init__` and keeps it whole.

    What goes wrong
    ---------------
    Under spawn and forkserver the dataset is pickled, so every worker receives a copy of its own: 300
    MB and 2 workers take 600 MB more, and the copying delays the first batch by seconds. A memmap
    that is kept does the same, because a pickled memmap carries its data. Under fork the pages of
    arrays are shared, also of many in a list, but Python objects are copied little by little as their
    reference counts change.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the bytes that are really pickled for each worker
    are counted, and held against the size from which on an array is large. Tensors are not among
    them, for workers share those.

    Example
    -------
        import numpy as np
        from torch.utils.data import Dataset


        class Noise(Dataset):
            def __init__(self):
                self.data = np.random.rand(1000, 3, 224, 224)

            def __getitem__(self, index):
                return self.data[index]

            def __len__(self):
                return len(self.data)

    Use instead
    -----------
        import numpy as np
        import torch
        from torch.utils.data import Dataset


        class Noise(Dataset):
            def __init__(self):
                self.data = torch.from_numpy(np.random.rand(1000, 3, 224, 224))

            def __getitem__(self, index):
                return self.data[index]

            def __len__(self):
                return len(self.data)

    Does not see
    ------------
    Arrays that are made elsewhere and passed in; readers of libraries it doesn't know. A table is
    taken for an index, and left alone, where `__getitem__` reads a file of its own for each item
    whatever is kept, or doesn't read the table. What a pickle holds is unknown: it counts if workers
    take elements of it. A dataset that the files which import it give to loaders without workers only is
    left alone.
    """

    code = "TLD301"
    name = "large-array-in-init"
    message = "{attribute} keeps {what}: {harm}; keep a tensor or read per item"

    def check(self, module: Module) -> Iterator[Hazard]:
        """Arrays above the threshold, and whole ones whose size the file doesn't tell."""
        for array in module.arrays:
            if array.size is None or array.size >= self.settings.large_array:
                words = {"attribute": array.attribute, "what": self._what(array), "harm": self._harm(array)}
                kept = ((array.definition, "this dataset keeps it"),) if array.definition is not None else ()
                yield Hazard(array.site, words, array.methods, (*sent_by(array.loaders), *kept))

    @staticmethod
    def _what(array: Array) -> str:
        short = array.source.replace("numpy.", "np.").replace("pandas.", "pd.")
        return f"all of {short}()" if array.size is None else f"{spell_size(array.size)} of {short}()"

    @staticmethod
    def _harm(array: Array) -> str:
        count = array.workers.only
        workers = f"{count} workers" if isinstance(count, int) and count > 1 else "each worker"
        copied = f"spawn/forkserver (Linux default from 3.14) copy it to {workers}"
        return f"{copied}, fork too in time" if StartMethod.FORK in array.methods else f"fork shares it, {copied}"

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a large pickle of such a dataset; the line is not known to be what made it large."""

        def harm(run: Run) -> str:
            keys = {(one.number, one.pid) for one in suspect.loaders(run)}
            concerned = (one for one in run.passes if (one.loader, one.pid) in keys)
            largest = max(concerned, key=_pickled, default=None)
            is_large = largest is not None and _pickled(largest) >= self.settings.large_array
            return _sent(largest) if largest is not None and is_large else ""

        return settle(runs, self.trials, harm, suspect.passes)


def _pickled(one: Pass) -> int:
    """The bytes that were sent to the worker that was sent most."""
    return max(one.payload_bytes, default=0)


def _sent(one: Pass) -> str:
    """How much was sent, and which attributes of the dataset are large."""
    large = [seen for seen in one.attributes if (seen.size or 0) > _pickled(one) // 10]
    names = ", ".join(f"{seen.name} ({seen.outline})" for seen in large)
    what = f"{len(one.payload_bytes)} workers x {spell_size(_pickled(one))} pickled"
    return f"{what}: {names}" if names else what
