"""TLD301: data that every worker gets a copy of."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_torchloader.module import Array, Module
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.settings import spell_size
from flake8_torchloader.start_method import StartMethod


class LargeArrayInInit(Rule):
    """A dataset loads or makes a large array in `__init__` and keeps it whole.

    What goes wrong
    ---------------
    Under spawn and forkserver the dataset is pickled, so every worker receives a copy of its own: 300
    MB and 2 workers take 600 MB more, and the copying delays the first batch by seconds. A memmap
    that is kept does the same, because a pickled memmap carries its data. Under fork the pages of an
    array are shared, but lists of Python objects are copied little by little as their reference
    counts change.

    How it is proved
    ----------------
    The program is run under fork and spawn: the bytes that were pickled for each worker and the
    memory that only this worker has are measured against the control without workers.

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
    taken for an index, and left alone, where `__getitem__` reads a file of its own for each item.
    """

    code = "TLD301"
    name = "large-array-in-init"
    message = "{attribute} keeps {what}: {harm}; keep a tensor or read per item"

    def check(self, module: Module) -> Iterator[Hazard]:
        """Arrays above the threshold, and whole ones whose size the file doesn't tell."""
        for array in module.arrays:
            if array.size is None or array.size >= self.settings.large_array:
                words = {"attribute": array.attribute, "what": self._what(array), "harm": self._harm(array)}
                yield Hazard(array.site, words, array.methods)

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
