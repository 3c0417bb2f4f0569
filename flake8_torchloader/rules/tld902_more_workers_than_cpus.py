"""TLD902: more worker processes than there is work for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.construction import Construction
from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Evidence, Reason, Suspect, Verdict, confirmed, refuted, unknown, why_unreached

MOST = 32
"""Workers of one loader beyond which there are more than most machines have CPUs for."""


class MoreWorkersThanCpus(Rule):
    """A loader asks for more worker processes than there are CPUs, or than any machine is likely to have.

    What goes wrong
    ---------------
    Workers that have no CPU of their own wait for each other. Each costs memory all the same, some ten megabytes
    under fork and a few hundred under spawn and forkserver, and time whenever it is started; and each has two batches
    in shared memory. torch itself warns: `This DataLoader will create 64 worker processes in total. Our suggested max
    number of worker in current system is 2`.

    How it is proved
    ----------------
    The number that the loader asks for is held against the CPUs of the machine; no worker is started for that.

    Example
    -------
        import os

        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=os.cpu_count() * 2, multiprocessing_context="fork")

    Use instead
    -----------
        import os

        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=min(8, os.cpu_count()), multiprocessing_context="fork")

    Does not see
    ------------
    Several loaders, or several processes with a loader each, that share the CPUs. It is opt-in, because a number such
    as 40 may be right on the machine that the program is written for.
    """

    code = "TLD902"
    name = "more-workers-than-cpus"
    message = "{loader} asks for {count}: more than {limit}; the rest waits and costs memory, so take fewer"
    trials = (Trial.CONTROL,)
    is_opt_in = True

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders whose number of workers is known to be large, or counted from the CPUs and larger."""
        for loader in module.constructions:
            words = _words(loader)
            if words:
                site = loader.argument("num_workers").site or loader.site
                notes = ((loader.site, f"{loader.name} is built here"),)
                yield Hazard(site, {"loader": loader.name, **words}, notes=notes)

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by a loader that asks for more workers than this machine has CPUs."""
        run = runs.get(Trial.CONTROL)
        if run is None:
            return unknown(Reason.NO_TRIAL)
        built = [one for one in run.loaders if suspect.is_at(one.site)]
        if not built:
            return unknown(why_unreached(run))
        most = max(one.workers for one in built)
        evidence = Evidence(Trial.CONTROL, f"{most} workers asked for, {run.cpus} CPUs")
        return confirmed(evidence) if most > run.cpus else refuted(evidence)


def _words(loader: Construction) -> dict[str, str]:
    workers = loader.argument("num_workers")
    if loader.exceeds_cpus:
        return {"count": "more workers than cpu_count()", "limit": "there are CPUs"}
    count = workers.value.only
    is_many = isinstance(count, (int, float)) and count > MOST
    return {"count": f"{count} workers", "limit": "most machines have CPUs"} if is_many else {}
