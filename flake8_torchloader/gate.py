"""The first gate: whether the text of a file can matter at all, which costs next to nothing to tell."""

from __future__ import annotations

INITS = "worker_init"
"""What the names of functions hold that a worker may begin with."""

SETTER = "set_start_method"
"""What sets the start method of all loaders."""

_WORDS = ("DataLoader", "ataset", "DataModule", "Lambda", SETTER)


def text_may_matter(text: str) -> bool:
    """Whether a file speaks of torch and of data at all, or of how a loader's workers begin."""
    return "torch" in text and any(word in text for word in _WORDS) or INITS in text
