"""What a pattern of `.gitignore` matches: the language of git's own `wildmatch`, but by characters, not bytes."""

from __future__ import annotations

import re
from functools import cached_property

_SPECIAL = re.compile(r"[*?\[\\]")
_CLASS = re.compile(r"\[:([a-z]*):\]")
_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": r"\x21-\x7e", "lower": "a-z", "print": r"\x20-\x7e", "punct": r"!-/:-@\[-`{-~", "space": r" \t-\r",
    "upper": "A-Z", "xdigit": "a-fA-F0-9",
}  # fmt: skip


class Glob:
    """A text in which `*`, `?` and `[...]` stand for what has no slash in it, and `**` between slashes for any folders.

    Most patterns are told apart from most names by how they begin and end, before a regular expression is made.
    """

    def __init__(self, text: str) -> None:
        signs = "".join(_SPECIAL.findall(text))
        self.is_literal = not signs
        self._text = text
        self._begins = _SPECIAL.split(text, maxsplit=1)[0]
        self._is_one_star = signs == "*"
        last = text.rpartition("*")[2] if signs.strip("*") == "" else ""
        self._ends = last if self._is_one_star else last.lstrip("/")

    def matches(self, name: str) -> bool:
        """Whether a name, or a path with slashes, is one that is meant."""
        if self.is_literal:
            return name == self._text
        if not (name.startswith(self._begins) and name.endswith(self._ends)):
            return False
        if self._is_one_star:
            last = len(name) - len(self._ends)
            return len(self._begins) <= last and "/" not in name[len(self._begins) : last]
        return self.expression is not None and self.expression.fullmatch(name) is not None

    @cached_property
    def expression(self) -> re.Pattern[str] | None:
        """The same as a regular expression; None if nothing can match: a bracket or backslash has nothing after it.

        As in git, what follows the plain beginning is read as if it stood alone, so that `a**/b` crosses slashes, too.
        """
        parts = [re.escape(self._begins)]
        text, place = self._text.removeprefix(self._begins), 0
        while place < len(text):
            read = _next(text, place)
            if read is None:
                return None
            part, place = read
            parts.append(part)
        return re.compile("".join(parts), re.DOTALL)


def _next(text: str, place: int) -> tuple[str, int] | None:
    """The expression for the sign at a place, and where the next one is."""
    match text[place]:
        case "*":
            return _stars(text, place)
        case "?":
            return "[^/]", place + 1
        case "[":
            return _brackets(text, place + 1)
        case "\\":
            return (re.escape(text[place + 1]), place + 2) if place + 1 < len(text) else None
        case sign:
            return re.escape(sign), place + 1


def _stars(text: str, place: int) -> tuple[str, int]:
    end = place
    while text[end : end + 1] == "*":
        end += 1
    is_between_slashes = (place == 0 or text[place - 1] == "/") and (end == len(text) or text[end] == "/")
    if end - place == 1 or not is_between_slashes:
        return "[^/]*", end
    return ("(?:.*/)?", end + 1) if end < len(text) else (".*", end)


def _brackets(text: str, place: int) -> tuple[str, int] | None:
    """The expression for `[...]`, of which the bracket was read; a first `]` stands for itself."""
    is_negated = text[place : place + 1] in ("!", "^") and place < len(text)
    place += is_negated
    parts: list[str] = []
    first, before = place, ""
    while text[place : place + 1] != "]" or place == first:
        posix = _CLASS.match(text, place)
        if posix is not None:
            if posix[1] not in _CLASSES:
                return None
            parts.append(_CLASSES[posix[1]])
            place, before = posix.end(), ""
            continue
        is_range = text[place : place + 1] == "-" and before and text[place + 1 : place + 2] not in ("", "]")
        sign, place = _sign(text, place + bool(is_range))
        if not sign:
            return None
        if not is_range:
            parts.append(re.escape(sign))
        elif before <= sign:
            parts.append(f"{re.escape(before)}-{re.escape(sign)}")
        before = "" if is_range else sign
    inside = "".join(parts)
    if is_negated:
        return f"[^/{inside}]", place + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), place + 1


def _sign(text: str, place: int) -> tuple[str, int]:
    """The character at a place, which a backslash may stand before, and the next place; empty at the end."""
    place += text[place : place + 1] == "\\"
    return text[place : place + 1], place + 1
