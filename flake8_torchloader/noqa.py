"""Comments that silence a line, read as flake8 reads them."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable

from flake8_torchloader.finding import Finding

_COMMENT = re.compile(r"# noqa(?::\s?(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
_WHOLE_FILE = re.compile(r"^\s*# flake8[:=]\s*noqa", re.IGNORECASE | re.MULTILINE)


def audible(findings: Iterable[Finding], text: str) -> tuple[Finding, ...]:
    """The findings that no comment in the text of their file silences."""
    found = tuple(findings)
    if not found or "noqa" not in text.lower():
        return found
    if _WHOLE_FILE.search(text):
        return ()
    lines = _lines_with_comments(text)
    return tuple(finding for finding in found if not _is_silenced(finding.code, lines.get(finding.span.line, "")))


def _is_silenced(code: str, line: str) -> bool:
    comment = _COMMENT.search(line)
    if comment is None or comment["codes"] is None:
        return comment is not None
    prefixes = re.split(r"[,\s]+", comment["codes"].upper())
    return code.startswith(tuple(prefixes))


def _lines_with_comments(text: str) -> dict[int, str]:
    """What is searched for a comment, by line: a string or statement over several lines counts as one line.

    Lines end at brackets as well as at statements, so a call over several lines is still many. What can't be
    tokenized is taken line by line.
    """
    lines = text.splitlines(keepends=True)
    found = dict(enumerate(lines, start=1))
    first = 1
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                span = range(first, token.end[0] + 1)
                found.update(dict.fromkeys(span, "".join(lines[first - 1 : token.end[0]])))
                first = token.end[0] + 1
    except (tokenize.TokenError, SyntaxError):
        pass
    return found
