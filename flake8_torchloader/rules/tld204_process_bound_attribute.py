"""TLD204: something on a dataset that belongs to the process which made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.keeping import judge_keeping
from flake8_torchloader.kept import BoundKind
from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.start_method import PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict

_REMEDIES: Mapping[BoundKind, str] = {
    BoundKind.GENERATOR: "make it in the worker, or keep a list",
    BoundKind.MODULE: "import it where it is used",
    BoundKind.WRITER: "leave it to the main process",
    BoundKind.CONNECTION: "connect on first use",
    BoundKind.RANDOM: "make it from get_worker_info().seed",
    BoundKind.FACTORY: "give it a module-level def",
}
_LATER = "make it on first use"
_LOST_TENSOR = "unable to resize file"
"""What a worker says that unpickles a tensor whose memory its parent has given back."""


class ProcessBoundAttribute(Rule):
    """A dataset keeps something that belongs to its process: a lock, generator, module, writer or connection.

    What goes wrong
    ---------------
    Under spawn and forkserver the dataset is pickled, and what belongs to one process can't be: `TypeError: cannot
    pickle '_thread.lock' object`, `'generator' object`, `'module' object`. Queues, events, thread pools, executors,
    progress bars, TensorBoard's writer and clients of data bases have such a lock inside. A `defaultdict` is pickled
    with its factory, which a lambda can't be. A `torch.Generator` is pickled, but the memory of its state is gone when
    the worker wants it, and the worker dies while it starts. Loggers are no hazard: they are pickled by name.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the pickling error names the attribute, or the worker is seen to
    die while it starts. The control without workers runs.

    Example
    -------
        import threading

        from torch.utils.data import Dataset


        class Cached(Dataset):
            def __init__(self, paths):
                self.paths = paths
                self.lock = threading.Lock()

            def __getitem__(self, index):
                with self.lock:
                    return self.paths[index]

            def __len__(self):
                return len(self.paths)

    Use instead
    -----------
        from torch.utils.data import Dataset


        class Cached(Dataset):
            def __init__(self, paths):
                self.paths = paths

            def __getitem__(self, index):
                return self.paths[index]

            def __len__(self):
                return len(self.paths)

    A worker has one thread, and no other process can hold its lock.

    Does not see
    ------------
    What another file makes; objects of libraries it doesn't know, and what collate functions keep. Where the class has
    a `__getstate__`, it is trusted to drop what can't be sent. Locks, queues and values of `multiprocessing` are fine
    unless the loader asks for another start method than they were made for, which is not looked at.
    """

    code = "TLD204"
    name = "process-bound-attribute"
    message = "{attribute} keeps {what}: {harm} {methods}; {remedy}"
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Everything that can't leave its process."""
        for bound in module.bound:
            dies = bound.kind is BoundKind.RANDOM
            words = {
                "attribute": bound.attribute,
                "what": bound.what,
                "harm": "each worker dies as it starts" if dies else "no worker starts",
                "remedy": _REMEDIES.get(bound.kind, _LATER),
            }
            others = ((bound.made, "it is made here"), (bound.kept, f"{bound.attribute} keeps it here"))
            notes = tuple((site, text) for site, text in others if site is not bound.site)
            yield Hazard(bound.site, words, bound.methods, (*notes, *sent_by(bound.loaders)))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by the pickler's refusal of what this line keeps, or by workers that die of what they are sent."""
        return judge_keeping(runs, self.trials, suspect, _dead_on_arrival)


def _dead_on_arrival(run: Run) -> str:
    """How a worker died that could not take over the memory of a tensor."""
    early = (one.failure for one in run.workers if one.failure is not None and not one.has_reached_loop)
    failures = (one for one in (*early, *run.child_failures) if _LOST_TENSOR in one.text)
    return next((f"a worker died while it started: {one.headline}" for one in failures), "")
