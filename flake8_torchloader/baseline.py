"""Findings that are known and left as they are, so that only new ones are told."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from flake8_torchloader.finding import Finding
from flake8_torchloader.fingerprint import fingerprints
from flake8_torchloader.linted import Linted

SCHEMA = "flake8-torchloader/baseline"
SCHEMA_VERSION = 1


class BadBaseline(ValueError):
    """A file that is no baseline: the text names it and says why."""


@dataclass(frozen=True, order=True)
class Known:
    """Findings of one code on lines of the same text in one file, whose path is relative to the baseline's folder."""

    path: str
    code: str
    text: str


@dataclass(frozen=True)
class Baseline:
    """What is known, how often, and the folder that its paths are relative to."""

    counts: Counter[Known]
    home: Path

    def fresh(self, files: Iterable[Linted]) -> list[Linted]:
        """The files with what is not known yet: of findings that are alike, the first ones are the known ones."""
        return [file._replace(findings=tuple(self._fresh(file))) for file in files]

    def _fresh(self, file: Linted) -> Iterable[Finding]:
        found = fingerprints(file, _relative(file.path, self.home))
        return (one for one, mark in found if mark.number > self.counts[Known(mark.path, mark.code, mark.text)])

    def stale(self, files: Collection[Linted], codes: Collection[str]) -> list[Known]:
        """What is known of files that were looked at, or are gone, and was not found again although looked for."""
        found = _count(files, self.home)
        seen = {_relative(file.path, self.home) for file in files}
        return sorted(
            known
            for known, count in self.counts.items()
            if known.code in codes and count > found[known]
            if known.path in seen or not (self.home / known.path).exists()
        )


def document(files: Iterable[Linted], home: Path) -> str:
    """A baseline of all that was found, for a file in the folder `home`."""
    counts = sorted(_count(files, home).items())
    findings = [{"path": one.path, "code": one.code, "text": one.text, "count": count} for one, count in counts]
    whole = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, "findings": findings}
    return json.dumps(whole, indent=1) + "\n"


def read_baseline(path: Path) -> Baseline:
    """Read a file that `document` wrote; raise BadBaseline if it can't be read or is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if (content["schema"], content["schema_version"]) != (SCHEMA, SCHEMA_VERSION):
            raise BadBaseline(f"{path}: is no baseline of version {SCHEMA_VERSION}")
        counts = Counter({_known(one): int(one["count"]) for one in content["findings"]})
    except BadBaseline:
        raise
    except OSError as error:
        raise BadBaseline(f"{path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadBaseline(f"{path}: is no baseline ({type(error).__name__}: {error})") from error
    return Baseline(counts, path.parent)


def _known(one: dict[str, str]) -> Known:
    return Known(str(one["path"]), str(one["code"]), str(one["text"]))


def _count(files: Iterable[Linted], home: Path) -> Counter[Known]:
    marks = (mark for file in files for _, mark in fingerprints(file, _relative(file.path, home)))
    return Counter(Known(mark.path, mark.code, mark.text) for mark in marks)


def _relative(path: Path, home: Path) -> str:
    return Path(os.path.relpath(path, home)).as_posix()
