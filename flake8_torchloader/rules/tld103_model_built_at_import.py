"""TLD103: a network that every worker builds again."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_torchloader.module import Module, Place
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import PICKLING_METHODS


class ModelBuiltAtImport(Rule):
    """A network is built at module level of a program that starts workers.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the file again and builds the network too, though
    no worker ever needs it: time at every start, memory in every worker, and, if the network is
    moved to a GPU, one CUDA context and one copy of the weights per worker.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: its module level is seen to run in the workers,
    with the seconds and the bytes that it costs there. Under fork it runs once.

    Example
    -------
        from torch import nn
        from torch.utils.data import DataLoader

        model = nn.Sequential(nn.Linear(8, 8), nn.ReLU())


        def main():
            for batch in DataLoader(range(8), num_workers=2):
                model(batch)


        if __name__ == "__main__":
            main()

    Use instead
    -----------
        from torch import nn
        from torch.utils.data import DataLoader


        def main():
            model = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            for batch in DataLoader(range(8), num_workers=2):
                model(batch)


        if __name__ == "__main__":
            main()

    Does not see
    ------------
    Networks of unknown classes whose `parameters()` are never asked for; programs whose loaders all
    stand in other files.
    """

    code = "TLD103"
    name = "model-built-at-import"
    message = (
        '{model} is built at import: {methods} every worker builds it again; build it under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Networks that are built wherever the file is imported, in a file that starts workers."""
        busy = [loader.methods for loader in module.loaders if loader.has_workers]
        if not busy:
            return
        methods = frozenset().union(*busy)
        for model in module.models:
            if Place.IMPORT in model.places:
                words = {"model": model.name}
                yield Hazard(model.site, words, methods)
