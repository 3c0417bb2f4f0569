"""TLD101: a loader that starts its workers while the file is imported."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_torchloader.module import Module, Place
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.start_method import PICKLING_METHODS


class LoaderIteratedAtImport(Rule):
    """A loader with workers is iterated by code that runs when the file is imported.

    What goes wrong
    ---------------
    Under spawn and forkserver each worker imports the main program again before it does anything.
    If that import iterates the loader, the worker tries to start workers itself, and Python stops
    it: `An attempt has been made to start a new process before the current process has finished its
    bootstrapping phase`. The parent then fails with `DataLoader worker (pid(s) ...) exited
    unexpectedly`, or, under spawn with more than 64 KiB to send, hangs for ever.

    How it is proved
    ----------------
    The program is run under forkserver and spawn: the bootstrapping error, or a start that never
    ends, confirms it. The same program without workers, and under fork, is the control.

    Example
    -------
        from torch.utils.data import DataLoader

        loader = DataLoader(range(8), num_workers=2)
        for batch in loader:
            print(batch)

    Use instead
    -----------
        from torch.utils.data import DataLoader


        def main():
            loader = DataLoader(range(8), num_workers=2)
            for batch in loader:
                print(batch)


        if __name__ == "__main__":
            main()

    Does not see
    ------------
    A loop that somebody else's function runs where the loader reaches it other than as an argument;
    a test such as `get_worker_info() is None`, which is no guard, is treated as none.
    """

    code = "TLD101"
    name = "loader-iterated-at-import"
    message = (
        '{loader} is iterated at import: {methods} its workers crash; put the loop under if '
        '__name__ == "__main__":'
    )
    methods = PICKLING_METHODS

    def check(self, module: Module) -> Iterator[Hazard]:
        """Loaders that are built and iterated wherever the file is imported."""
        for loader in module.loaders:
            uses = loader.iterated_at_import
            if not loader.has_workers or Place.IMPORT not in loader.places or not uses:
                continue
            words = {"loader": loader.name}
            notes = tuple((use.site, f"{loader.name} is iterated here") for use in uses)
            yield Hazard(loader.site, words, loader.methods, notes)
