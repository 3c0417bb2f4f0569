"""TLD102: a loader that every worker builds again."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_torchloader.module import Module, Place
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import PICKLING_METHODS


class LoaderBuiltAtImport(Rule):
    """A loader with workers is built by code that runs when the file is imported.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the file again, and so builds the dataset and the
    loader a second time: once per worker, and once more every epoch unless the workers persist. The
    time and the memory of it are lost. The day somebody adds a loop at module level, it crashes.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: its module level is seen to run in the workers,
    with the seconds and the bytes that it costs there. Under fork it runs once.

    Example
    -------
        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=2)

        if __name__ == "__main__":
            for batch in loader:
                print(batch)

    Use instead
    -----------
        from torch.utils.data import DataLoader

        if __name__ == "__main__":
            loader = DataLoader(range(8), num_workers=2)
            for batch in loader:
                print(batch)

    Does not see
    ------------
    Loaders that another file builds when it is imported.
    """

    code = "TLD102"
    name = "loader-built-at-import"
    message = (
        '{loader} is built at import: {methods} every worker builds it again; build it under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders that are built wherever the file is imported, and iterated elsewhere or not at all."""
        for loader in module.loaders:
            if loader.has_workers and Place.IMPORT in loader.places and not loader.iterated_at_import:
                words = {"loader": loader.name}
                yield Hazard(loader.site, words, loader.methods)
