"""The first gate: whether the text of a file can matter at all, which costs next to nothing to tell."""

from __future__ import annotations

INITS = "worker_init"
"""What the names of functions hold that a worker may begin with."""

_WORDS = ("DataLoader", "ataset", "DataModule", "Lambda")


def text_may_matter(text: str) -> bool:
    """Whether a file speaks of torch and of data at all, or of what a loader's workers begin with."""
    return "torch" in text and any(word in text for word in _WORDS) or INITS in text
