"""What a finding is known by when the lines around it have moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from flake8_torchloader.finding import Finding
from flake8_torchloader.linted import Linted


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """A file, a code, the text of the line without its spacing, and the how manieth this is of the same, from 1."""

    path: str
    code: str
    text: str
    number: int

    @property
    def digest(self) -> str:
        """A short name for it, which other tools compare."""
        return sha256(repr(self).encode(errors="backslashreplace")).hexdigest()


def fingerprints(file: Linted, path: str | None = None) -> Iterator[tuple[Finding, Fingerprint]]:
    """Each finding of a file with what it is known by; `path` is another name for the file, if that is wanted."""
    name = file.path.as_posix() if path is None else path
    seen: Counter[tuple[str, str]] = Counter()
    for finding in file.findings:
        text = " ".join(file.lines.get(finding.span.line, "").split())
        seen[finding.code, text] += 1
        yield finding, Fingerprint(name, finding.code, text, seen[finding.code, text])
