"""TLD000: a file that could not be analysed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Reason, Suspect, Verdict, unknown


class FileNotAnalysed(Rule):
    """A file that speaks of loaders or datasets could not be read, so nothing is known about it.

    What goes wrong
    ---------------
    Silence about this file means nothing. The message says why it could not be read: most often an
    expression that is nested far too deeply, such as a literal or a chain that a program wrote.

    How it is proved
    ----------------
    There is nothing to run: the reading itself failed.

    Example
    -------
        from torch.utils.data import DataLoader

        TREE = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
        ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
        loader = DataLoader(TREE, num_workers=0)

    Use instead
    -----------
        import json

        from torch.utils.data import DataLoader

        with open("tree.json") as file:
            TREE = json.load(file)
        loader = DataLoader(TREE, num_workers=0)

    Does not see
    ------------
    Files that don't speak of torch and data at all are never read, so never reported here. A syntax
    error is flake8's own E999.
    """

    code = "TLD000"
    name = "file-not-analysed"
    message = "this file could not be analysed for worker hazards: {reason}"
    trials = ()

    def check(self, module: Module) -> Iterator[Hazard]:
        """One line for a file that could not be read."""
        if module.failure is not None:
            yield Hazard(None, {"reason": module.failure})

    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """A run can't show what was not read."""
        return unknown(Reason.NOTHING_TO_RUN)
