"""The user's source files, parsed when something about them is asked."""

from __future__ import annotations

import ast
import functools

_LARGEST = 1 << 20


@functools.lru_cache(maxsize=64)
def tree(file: str) -> ast.Module:
    """The tree of a source file; an empty one of what can't be read."""
    try:
        with open(file, "rb") as source:
            return ast.parse(source.read(_LARGEST))
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])
