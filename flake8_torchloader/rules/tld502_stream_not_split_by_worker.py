"""TLD502: an IterableDataset that gives each of its samples once for every worker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule, sent_by
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict, settle, unknown


class StreamNotSplitByWorker(Rule):
    """An IterableDataset goes through all of its data in every worker.

    What goes wrong
    ---------------
    Each worker has a copy of the dataset and runs its `__iter__` from the beginning to the end. What
    does not ask which worker it is gives everything once for each of them: 10 samples become 40 with
    4 workers. Nothing crashes; an epoch is just 4 times as long, and its batches come 4 times, one
    after the other. To split by the rank of a distributed process does not help: each of these has
    workers of its own.

    How it is proved
    ----------------
    The program is run under each start method: equal samples that come from several workers, and
    come only once without workers, confirm it.

    Example
    -------
        from torch.utils.data import DataLoader, IterableDataset


        class Lines(IterableDataset):
            def __init__(self, path):
                self.path = path

            def __iter__(self):
                with open(self.path) as file:
                    for line in file:
                        yield line


        def lines(path):
            return DataLoader(Lines(path), batch_size=8, num_workers=4)

    Use instead
    -----------
        from itertools import islice

        from torch.utils.data import DataLoader, IterableDataset, get_worker_info


        class Lines(IterableDataset):
            def __init__(self, path):
                self.path = path

            def __iter__(self):
                info = get_worker_info()
                first, step = (info.id, info.num_workers) if info else (0, 1)
                with open(self.path) as file:
                    yield from islice(file, first, None, step)


        def lines(path):
            return DataLoader(Lines(path), batch_size=8, num_workers=4)

    Does not see
    ------------
    Streams that wrap another one, which may split itself, as those of webdataset, of torchdata and of
    Hugging Face's datasets do; endless streams, and those that draw their items at random. A class
    that has any name for workers is trusted, and so is a `worker_init_fn` that reaches for the
    dataset. A class that is given to no loader with workers, in this file or in one that imports it, is
    left alone, and so is one of whose loaders some have workers and some have none, if none is seen to get it.
    """

    code = "TLD502"
    name = "stream-not-split-by-worker"
    message = (
        "every worker goes through all of {source}: {dataset} gives each sample once per worker; take a part of it "
        "by get_worker_info()"
    )
    trials = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)

    def check(self, module: Module) -> Iterator[Hazard]:
        """Each such dataset, where it begins to go through its data."""
        for stream in module.streams:
            words = {"source": stream.source, "dataset": stream.dataset}
            yield Hazard(stream.site, words, stream.methods, sent_by(stream.loaders))

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Confirmed by samples that several workers gave in one iteration, each of which is unique in the control.

        Where the cap ends a shuffled stream early, workers may seem to share it: that rules nothing out.
        """
        control = runs.get(Trial.CONTROL)
        common = _common(control) if control is not None else frozenset()

        def harm(run: Run) -> str:
            numbers = {one.number for one in suspect.passes(run) or run.passes}
            givers: defaultdict[tuple[int | None, str], set[int]] = defaultdict(set)
            for sample in run.samples:
                if sample.worker is not None and sample.passed in numbers and sample.digest not in common:
                    givers[sample.passed, sample.digest].add(sample.pid)
            counts = [len(pids) for pids in givers.values() if len(pids) > 1]
            return f"{len(counts)} of {len(givers)} samples came from {max(counts)} workers" if counts else ""

        verdict = settle(runs, self.trials, harm, suspect.passes)
        if verdict.outcome is not Outcome.REFUTED or control is None:
            return verdict
        suspects = (runs[trial] for trial in self.trials if trial in runs and trial.start_method is not None)
        return unknown(Reason.NOT_SHOWN) if any(_is_open(run, control, suspect) for run in suspects) else verdict


def _is_open(run: Run, control: Run, suspect: Suspect) -> bool:
    """Whether each iteration was cut before several workers came to anything that the control has seen."""
    passes = [one for one in suspect.passes(run) if one.pids]
    numbers = {one.number for one in passes}
    given = [one for one in run.samples if one.worker is not None and one.passed in numbers]
    known = {one.digest for one in control.samples}
    several = len({one.pid for one in given}) > 1
    return several and all(one.is_cut for one in passes) and known.isdisjoint(one.digest for one in given)


def _common(control: Run) -> frozenset[str]:
    """The samples that come several times in one iteration without workers, because they are alike."""
    counted = Counter((one.passed, one.digest) for one in control.samples)
    return frozenset(digest for (_, digest), count in counted.items() if count > 1)
