"""A file without what its functions and classes hold: parsed alone, it tells what the file binds, for far less."""

from __future__ import annotations

import ast
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass

_BLOCK = re.compile(r"^(async[ \t]+def|def|class)[ \t]+(\w+).*\n(?:(?:[ \t)\]}#].*)?\n)*", re.MULTILINE)
"""A `def` or `class` of the top level, up to the next line that is neither indented nor a comment."""

_IMPORT = re.compile(r"\n[ \t]+(?:from|import)\b")
_OLD = re.compile(r"\n[ \t]*(?:print[ \t]+[^\s=(.]|except[ \t]+[\w.]+[ \t]*,)")
"""Statements of Python 2: a file with one of them can't be read at all, wherever it stands."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The tree of a file; `ends` has the last line of each function or class without its body, by that of its name."""

    tree: ast.Module
    ends: dict[int, int]

    def last_line(self, statement: ast.stmt) -> int:
        """The last line of a statement of the top level."""
        return self.ends.get(statement.lineno, statement.end_lineno or statement.lineno)


def skeleton(text: str) -> Skeleton:
    """Parse a file without the bodies of its functions and classes, where these can be told without parsing.

    Raises what `ast.parse` raises. Of what is broken in a function or class nothing is noticed.
    """
    if not _OLD.search(text):
        ends: dict[int, int] = {}
        bare = _bare(text if text.endswith("\n") else f"{text}\n", ends)
        with suppress(SyntaxError):  # a string or a bracket may hold what looks like a function
            return Skeleton(parsed(bare), ends) if bare else Skeleton(parsed(text), {})
    return Skeleton(parsed(text), {})


def _bare(text: str, ends: dict[int, int]) -> str:
    """The text with nothing in its functions and classes, line for line; empty if it can't be told where they end."""
    parts: list[str] = []
    done = line = 0
    for found in _BLOCK.finditer(text):
        block = _without_tail(found[0])
        if block.count('"""') % 2 or block.count("'''") % 2:
            return ""
        between = text[done : found.start()]
        line += between.count("\n")
        done = found.start() + len(block)
        length = block.count("\n")
        if found[1] == "class" and _IMPORT.search(block):
            parts += [between, block]
        else:
            ends[line + 1] = line + 1 + length
            head = f"class {found[2]}: ..." if found[1] == "class" else f"def {found[2]}(): ..."
            parts += [between, head, "\n" * length]
        line += length
    return "".join([*parts, text[done:]])


def _without_tail(block: str) -> str:
    """A block without the comments and empty lines at its end."""
    while True:
        block = block.rstrip()
        last = block.rfind("\n") + 1
        if not last or block[last:].lstrip()[0] != "#":
            return block
        block = block[:last]


def parsed(text: str) -> ast.Module:
    """The tree of a text, whatever Python would warn of; raises what `ast.parse` raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
