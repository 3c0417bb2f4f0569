"""Comments that silence a line, read as flake8 reads them."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from flake8_torchloader.finding import Finding, Span

_COMMENT = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
_WHOLE_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_OURS = re.compile(r"TLD[0-9]+")
_BETWEEN_LINES = (tokenize.ENDMARKER, tokenize.DEDENT)


@dataclass(frozen=True, order=True)
class Unused:
    """A code in a `# noqa` comment that silences nothing, and where it stands."""

    span: Span
    code: str


def audible(findings: Iterable[Finding], text: str) -> tuple[Finding, ...]:
    """The findings that no comment in the text of their file silences."""
    found = tuple(findings)
    if not found or "noqa" not in text.lower():
        return found
    if _is_silent_throughout(text):
        return ()
    stretches = Stretches(text)
    return tuple(one for one in found if not _is_silenced(one.code, stretches.text(one.span.line)))


def unused(findings: Iterable[Finding], text: str, codes: Collection[str]) -> tuple[Unused, ...]:
    """Our codes in comments that silence none of the findings (all that there are) and are about codes looked for.

    A code that nobody looked for may have its use elsewhere; one that does not exist has none.
    """
    if "noqa" not in text.lower() or _is_silent_throughout(text):
        return ()
    stretches = Stretches(text)
    places = {(stretches.of(one.span.line), one.code) for one in findings}

    def has_use(one: Unused) -> bool:
        here = stretches.of(one.span.line)
        return any(place == here and code.startswith(one.code) for place, code in places)

    written = (one for one in _codes_in_comments(text) if _is_about(one.code, codes))
    return tuple(one for one in written if not has_use(one))


def _is_about(prefix: str, codes: Collection[str]) -> bool:
    return any(code.startswith(prefix) for code in codes) or not _exists(prefix)


def _exists(prefix: str) -> bool:
    from flake8_torchloader.rules import all_rules

    return any(rule.code.startswith(prefix) for rule in all_rules())


def _codes_in_comments(text: str) -> Iterator[Unused]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            comment = _COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
            if comment is not None and comment["codes"] is not None:
                line, column = token.start[0], token.start[1] + comment.start("codes")
                for code in _OURS.finditer(comment["codes"]):
                    yield Unused(Span(line, column + code.start(), line, column + code.end()), code[0])
    except (tokenize.TokenError, SyntaxError):
        pass


def _is_silent_throughout(text: str) -> bool:
    return any(_WHOLE_FILE.match(line) for line in _lines(text))


def _is_silenced(code: str, line: str) -> bool:
    comment = _COMMENT.search(line)
    if comment is None or comment["codes"] is None:
        return comment is not None
    return code.startswith(tuple(filter(None, re.split(r"[,\s]", comment["codes"]))))


def _lines(text: str) -> list[str]:
    """The lines of a text, with their ends: a form feed ends none."""
    return io.StringIO(text).readlines()


class Stretches:
    """The lines that are searched together: a string or statement over several lines counts as one line.

    Lines end at brackets as well as at statements, so a call over several lines is still many. What can't be
    tokenized is taken line by line.
    """

    def __init__(self, text: str) -> None:
        self._lines = _lines(text)
        self._ranges = _ranges(text)

    def of(self, line: int) -> range:
        """The numbers of the lines that are searched with a line."""
        return self._ranges.get(line, range(line, line + 1))

    def text(self, line: int) -> str:
        """What is searched for a comment about a line."""
        together = self.of(line)
        return "".join(self._lines[together.start - 1 : together.stop - 1])


def _ranges(text: str) -> dict[int, range]:
    found: dict[int, range] = {}
    first: int | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in _BETWEEN_LINES:
                continue
            first = token.start[0] if first is None else first
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                together = range(first, token.end[0] + 1)
                found.update(dict.fromkeys(together, together))
                first = None
    except (tokenize.TokenError, SyntaxError):
        return {}
    return found
