"""TLD701: a loader that torch refuses to build, or to iterate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from flake8_torchloader.construction import Construction, basis
from flake8_torchloader.families.rejections import FIXED, FIXED_SAID, REJECTIONS, Rejection, rejections
from flake8_torchloader.module import Basis, Module
from flake8_torchloader.observed import Failure, Pass
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict, settle


class ArgumentsRejected(Rule):
    """A loader is given arguments that torch rejects, alone or beside each other.

    What goes wrong
    ---------------
    The constructor raises `ValueError`, or `TypeError`; a `timeout` without workers and a `prefetch_factor` of 0 are
    refused with an `AssertionError` only when the loader is iterated. Most often options that have a meaning for
    workers alone stand beside a number of workers that is 0 unless somebody asks for more: the program works for its
    author, who does, and ends at once for everybody who runs it with its defaults, or debugs it with `num_workers=0`.

    How it is proved
    ----------------
    The program is run with its own arguments, under each start method: torch's own exception, at the line that builds
    the loader or at the one that iterates it, confirms it. The control is no help here, because it takes away what
    has a meaning for workers alone.

    Example
    -------
        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=0, persistent_workers=True)

    Use instead
    -----------
        from torch.utils.data import DataLoader

        WORKERS = 0
        loader = DataLoader(range(8), num_workers=WORKERS, persistent_workers=WORKERS > 0)

    Does not see
    ------------
    What rests on a value that the file doesn't tell, such as one from a configuration; arguments that a class with
    an `__init__` of its own hands on; an empty dataset, which can't be shuffled either.
    """

    code = "TLD701"
    name = "arguments-rejected"
    message = "{loader} has {what}: torch raises {error}{when}; {instead}"
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """The first thing that torch would complain about, at each loader; and what is set on it too late."""
        for loader in module.constructions:
            for rejection in islice(rejections(loader), 1):
                yield self._hazard(loader, rejection)
            for name, site in loader.set_later:
                if name in FIXED:
                    words = {"what": f"its {name} set after it is built", "error": "ValueError", "when": ""}
                    note = ((loader.site, f"{loader.name} is built here"),)
                    yield Hazard(site, {**words, "loader": loader.name, "instead": "build it with that"}, notes=note)

    @staticmethod
    def _hazard(loader: Construction, rejection: Rejection) -> Hazard:
        arguments = rejection.of(loader)
        is_default = basis(*arguments) is Basis.OPTION
        words = {
            "loader": loader.name,
            "what": rejection.what,
            "error": rejection.error,
            "when": " by default" if is_default else "",
            "instead": rejection.instead,
        }
        site = next((argument.site for argument in arguments if argument.site is not None), loader.site)
        return Hazard(site, words, notes=((loader.site, f"{loader.name} is built here"),))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by torch's own refusal of the loader in question, if the program did not get over it."""

        def harm(run: Run) -> str:
            if run.ending in (Ending.FINISHED, Ending.CAPPED):
                return ""
            refused = [one.failure for one in run.refused if suspect.is_at(one.site)]
            started = [one.failure for one in _over(run, suspect) if one.failure is not None and not one.batches]
            crash = [run.crash] if run.crash is not None and suspect.is_at(run.crash.site) else []
            return next((one.headline for one in (*refused, *started, *crash) if _is_torchs(one)), "")

        return settle(runs, self.trials, harm, suspect.passes)


def _over(run: Run, suspect: Suspect) -> list[Pass]:
    """The iterations over the loaders that were built on the lines in question."""
    built = {(one.number, one.pid) for one in run.loaders if suspect.is_at(one.site)}
    return [one for one in run.passes if (one.loader, one.pid) in built]


def _is_torchs(failure: Failure) -> bool:
    """Whether the words of an exception are those that torch has for rejected arguments."""
    said = any(failure.text.startswith(rejection.said) for rejection in REJECTIONS)
    return said or FIXED_SAID in failure.text
