"""TLD104: worker code that needs what only the main program has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flake8_torchloader.main_program import Lack, MainOnly
from flake8_torchloader.module import Module
from flake8_torchloader.observed import Failure
from flake8_torchloader.rule import Hazard, Rule, sent_by, shorten
from flake8_torchloader.start_method import PICKLING_METHODS
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle
from flake8_torchloader.worker_seen import GlobalSeen

_HARMS: Mapping[Lack, str] = {
    Lack.DEFINITION: "workers can't find it",
    Lack.NAME: "NameError in the workers' {}",
    Lack.VALUE: "the workers' {} sees its old value",
}
_LOST = re.compile(r"Can't get attribute '(\w+)|name '(\w+)' is not defined")


class WorkerCodeInMainOnly(Rule):
    """Worker code is defined under the main guard, or reads a global that is set there.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the program anew, and passes by what stands under `if __name__ ==
    "__main__":`. A dataset class or collate function that is defined there isn't found: `AttributeError: Can't get
    attribute 'Squares' on <module '__mp_main__'>`. A global that is set there, or by a function that only the main
    program calls, is missing in the workers (`NameError`), or still has the value that it had at import: nothing
    crashes, and the data are wrong. Under fork the workers inherit all that the main program has set.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: a worker's error names the function, class or global, or the value
    of the global in a worker differs from that in the parent. The control without workers runs.

    Example
    -------
        from torch.utils.data import DataLoader, Dataset

        scale = 1


        class Scaled(Dataset):
            def __getitem__(self, index):
                return index * scale

            def __len__(self):
                return 8


        if __name__ == "__main__":
            scale = 10
            print(list(DataLoader(Scaled(), num_workers=2)))

    Use instead
    -----------
        from torch.utils.data import DataLoader, Dataset


        class Scaled(Dataset):
            def __init__(self, scale):
                self.scale = scale

            def __getitem__(self, index):
                return index * self.scale

            def __len__(self):
                return 8


        if __name__ == "__main__":
            print(list(DataLoader(Scaled(10), num_workers=2)))

    Does not see
    ------------
    Attributes of global objects that the main program sets, such as `config.size = 3`; globals of other files; datasets
    of which no loader with workers is seen; a global that several functions set, if it isn't known from where each is
    called.
    """

    code = "TLD104"
    name = "worker-code-in-main-only"
    message = "{name} is {done} in the {where} only: {harm} {methods}; {remedy}"
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each global that workers lack."""
        for lacked in module.main_only:
            if module.is_notebook and lacked.lack is not Lack.DEFINITION:
                continue  # the code that reads it isn't found either
            remedy = "define it in a module" if module.is_notebook else "define it at module level"
            words = {
                "name": lacked.name,
                "done": "defined" if lacked.lack is Lack.DEFINITION else "set",
                "where": "notebook" if module.is_notebook else "main program",
                "harm": _HARMS[lacked.lack].format(shorten(lacked.reader)),
                "remedy": remedy if lacked.lack is Lack.DEFINITION else "pass it in",
            }
            yield Hazard(lacked.site, words, lacked.methods, (*_reading(lacked), *sent_by(lacked.loaders)))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a worker's error over a name that this line sets, or by another value of it in a worker."""

        def harm(run: Run) -> str:
            set_here = {one.name for one in run.globals if any(suspect.is_at(site) for site in one.sites)}
            return _missing(run, set_here) or _differing(run, set_here)

        return settle(runs, self.trials, harm, suspect.passes)


def _reading(lacked: MainOnly) -> tuple[tuple[object, str], ...]:
    is_elsewhere = lacked.read is not None and lacked.read is not lacked.site
    return ((lacked.read, "workers read it here"),) if is_elsewhere else ()


def _missing(run: Run, names: set[str]) -> str:
    """What a worker says that looks for one of these names."""
    failures = [*run.child_failures, *(one.failure for one in run.workers if one.failure is not None)]
    return next((one.headline for one in failures if _lost(one) & names), "")


def _lost(failure: Failure) -> set[str]:
    return {name for match in _LOST.finditer(failure.text) for name in match.groups() if name}


def _differing(run: Run, names: set[str]) -> str:
    """Which of these names has another value in a worker than in the main program."""
    own = {one.name: one for one in run.globals if one.pid == run.main and one.name in names}
    for other in run.globals:
        here = own.get(other.name)
        if here is not None and other.pid != run.main and _differ(here, other):
            return f"{other.name} is {other.outline} in a worker and {here.outline} in the main program"
    return ""


def _differ(one: GlobalSeen, other: GlobalSeen) -> bool:
    """Whether two values are surely not the same; of what is no plain value, nothing is known."""
    return bool(one.digest) and bool(other.digest) and one.digest != other.digest
