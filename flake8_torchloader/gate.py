"""The first gate: whether the text of a file can matter at all, which costs next to nothing to tell."""

from __future__ import annotations

INITS = "worker_init"
"""What the names of functions hold that a worker may begin with."""

SETTER = "set_start_method"
"""What sets the start method of all loaders."""

_WORDS = ("DataLoader", "ataset", "DataModule", "Lambda", SETTER)


def text_may_matter(text: str) -> bool:
    """Whether a file speaks of torch and of data at all, or of how a loader's workers begin.

    One that doesn't may still define a dataset, if it takes the base of that from another file.
    """
    if speaks_of_torch(text):
        return INITS in text or any(word in text for word in _WORDS)
    return "__getitem__" in text and "ataset" in text


def speaks_of_torch(text: str) -> bool:
    """Whether a file names torch, or a function that a worker begins with."""
    return "torch" in text or INITS in text
