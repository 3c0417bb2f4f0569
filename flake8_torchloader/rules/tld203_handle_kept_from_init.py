"""TLD203: a file that is open when the workers are started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.families.keeping import judge_keeping
from flake8_torchloader.kept import Handle
from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.start_method import StartMethod, spell
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict


class HandleKeptFromInit(Rule):
    """A dataset opens a file, archive, database or video in `__init__` and keeps it open.

    What goes wrong
    ---------------
    Under spawn and forkserver the dataset is pickled, and no open handle can be: `TypeError: cannot pickle
    '_io.BufferedReader' object`, `h5py objects cannot be pickled`. To close it changes nothing, as long as the closed
    object is still an attribute. Under fork all workers inherit one and the same open file, with one position in it:
    each moves that of the others between their seek and their read, which gives wrong samples now and then, a
    `BadZipFile`, a truncated image, or the wrong frames of a video. HDF5, LMDB and SQLite read at positions of their
    own and are mostly right under fork.

    How it is proved
    ----------------
    The program is run under every start method. Under forkserver and spawn the pickling error names the attribute;
    under fork a worker is seen to read a file through a descriptor that it shares with its parent. The control without
    workers runs.

    Example
    -------
        import h5py
        from torch.utils.data import Dataset


        class Scans(Dataset):
            def __init__(self, path):
                self.file = h5py.File(path, "r")

            def __getitem__(self, index):
                return self.file["scans"][index]

            def __len__(self):
                return len(self.file["scans"])

    Use instead
    -----------
        import h5py
        from torch.utils.data import Dataset


        class Scans(Dataset):
            def __init__(self, path):
                self.path = path
                self.file = None
                with h5py.File(path, "r") as file:
                    self.length = len(file["scans"])

            def __getitem__(self, index):
                if self.file is None:
                    self.file = h5py.File(self.path, "r")
                return self.file["scans"][index]

            def __len__(self):
                return self.length

    Does not see
    ------------
    Handles that another file opens; libraries it doesn't know; files that are open in global variables or class
    attributes; a lazy property that `__init__` reads. Where the class has a `__getstate__`, it is trusted to drop the
    handle, and only what fork does is reported. A dataset that the files which import it give to loaders without
    workers only is left alone.
    """

    code = "TLD203"
    name = "handle-kept-from-init"
    message = "{attribute} keeps {what}: {harm}; open it on first use"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Everything that stays open."""
        for handle in module.handles:
            words = {"attribute": handle.attribute, "what": _what(handle), "harm": self._harm(handle)}
            others = ((handle.opened, "it is opened here"), (handle.kept, f"{handle.attribute} keeps it here"))
            notes = tuple((site, text) for site, text in others if site is not handle.site)
            yield Hazard(handle.site, words, handle.methods, (*notes, *sent_by(handle.loaders)))

    def _harm(self, handle: Handle) -> str:
        """What happens to it under the start methods that the user chose."""
        suffering = handle.methods & self.settings.start_methods
        sent = suffering - {StartMethod.FORK}
        if sent == suffering:
            return f"no worker starts {spell(sent)}"
        shared = "fork shares its position (wrong data)"
        return f"{shared}, no start {spell(sent)}" if sent else shared

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by the pickler's refusal of what this line keeps, or by workers that read their parent's file."""
        return judge_keeping(runs, self.trials, suspect, _read_through_parent)


def _what(handle: Handle) -> str:
    short = handle.source.removeprefix("builtins.").replace("numpy.", "np.").removeprefix("PIL.")
    return f"part of {short}()" if handle.is_view else f"{short}()"


def _read_through_parent(run: Run) -> str:
    """Which file was read by workers that share it with their parent, and by how many."""
    readers: dict[str, set[int]] = {}
    for pid, handle in run.handles:
        if handle.was_read:
            readers.setdefault(handle.path, set()).add(pid)
    path, pids = next(iter(readers.items()), ("", set()))
    who = "a worker reads" if len(pids) == 1 else f"{len(pids)} workers read"
    return f"{who} {path} through the parent's descriptor" if path else ""
