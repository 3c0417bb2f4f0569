"""Runs a factory of library code that returns a loader or a dataset: `entry.py module:factory workers`.

The name of the factory may be dotted. Loaders may come in a list, tuple or dict.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any


def _make(entry: str) -> Any:
    module, _, name = entry.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found()


def _loaders(made: Any, workers: int) -> list[Any]:
    from torch.utils.data import DataLoader

    if isinstance(made, dict):
        made = list(made.values())
    things = list(made) if isinstance(made, (list, tuple)) else [made]
    return [thing if isinstance(thing, DataLoader) else DataLoader(thing, num_workers=workers) for thing in things]


def main(arguments: list[str]) -> int:
    """Iterate all that the factory made, for the number of epochs given; the cap ends each epoch in time.

    Loaders that one line built have their epochs each, or the first of them would use up those of all.
    """
    cap = importlib.import_module("torchloader_inside.cap")
    entry, workers, epochs = arguments[0], int(arguments[1]), int(arguments[2])
    sys.path[0] = os.getcwd()
    for loader in _loaders(_make(entry), workers):
        cap.forget()
        for _ in range(epochs):
            for _batch in loader:
                continue
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
