"""TLD302: a large container of Python objects, which every worker comes to hold for itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module
from flake8_torchloader.observed import Pass
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.settings import MEBIBYTE, spell_size
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle

_MANY = 10_000
"""Objects in one container from which on a run shows what they cost."""

_LARGE = re.compile(r"(?:list|dict|set|tuple)\[(\d+)\]")


class ManyObjectsInDataset(Rule):
    """A dataset keeps a container of many Python objects, which its workers read.

    What goes wrong
    ---------------
    Under fork the workers share the memory of the parent until somebody writes to it, and merely reading a Python
    object writes: its reference count lies beside it. So each worker copies the container page by page as it reads,
    and the memory grows over the epoch: with 5 million ints each worker held 12 MB at first and 165 MB in the end.
    Under spawn and forkserver each worker gets a copy at once.

    How it is proved
    ----------------
    The program is run under each start method: a container of ten thousand elements or more on the dataset, together
    with a worker that grows by 4 MiB under fork, or is sent 1 MiB otherwise, confirms it.

    Example
    -------
        import json

        from torch.utils.data import Dataset


        class Captions(Dataset):
            def __init__(self, path):
                with open(path) as file:
                    self.captions = json.load(file)

            def __getitem__(self, index):
                return self.captions[index]["text"]

    Use instead
    -----------
        import json

        import numpy as np
        from torch.utils.data import Dataset


        class Captions(Dataset):
            def __init__(self, path):
                with open(path) as file:
                    texts = [caption["text"].encode() for caption in json.load(file)]
                self.ends = np.cumsum([len(text) for text in texts])
                self.bytes = np.frombuffer(b"".join(texts), dtype=np.uint8)

            def __getitem__(self, index):
                start = self.ends[index - 1] if index else 0
                return self.bytes[start : self.ends[index]].tobytes().decode()

    Does not see
    ------------
    How many objects there are, which is why it is opt-in: a few thousand do no harm. Lists of paths and of ids are
    left alone, by their names, and what libraries build.
    """

    code = "TLD302"
    name = "many-objects-in-dataset"
    message = (
        "{attribute} keeps Python objects from {source}: each worker comes to hold a copy, under fork little by "
        "little; keep arrays"
    )
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
    is_opt_in = True

    def check(self, module: Module) -> Iterator[Hazard]:
        """Containers that workers read, and whose size nobody knows or is large."""
        for objects in module.objects:
            words = {"attribute": objects.attribute, "source": objects.source}
            yield Hazard(objects.site, words, notes=sent_by(objects.loaders))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a large container, and the memory that a worker got or took for it."""

        def concerned(run: Run) -> tuple[Pass, ...]:
            return suspect.passes(run) or run.passes

        def harm(run: Run) -> str:
            return next(filter(None, (_cost(run, one) for one in concerned(run))), "")

        return settle(runs, self.trials, harm, concerned)


def _cost(run: Run, one: Pass) -> str:
    """What a large container of the dataset cost a worker of an iteration, in words."""
    large = [seen for seen in one.attributes if (m := _LARGE.match(seen.outline)) and int(m[1]) >= _MANY]
    if not large:
        return ""
    name = f"{large[0].name} ({large[0].outline})"
    sent = max(one.payload_bytes, default=0)
    if sent >= MEBIBYTE:
        return f"{len(one.payload_bytes)} workers x {spell_size(sent)} pickled: {name}"
    growths = [
        worker.uss_last_bytes - worker.uss_bytes
        for worker in run.workers
        if worker.pid in one.pids and worker.uss_bytes is not None and worker.uss_last_bytes is not None
    ]
    grown = max(growths, default=0)
    return f"a worker grew by {spell_size(grown)}: {name}" if grown >= 4 * MEBIBYTE else ""
