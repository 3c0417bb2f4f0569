"""From paths to findings: what is found in each file."""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flake8_torchloader.choosing.config import Codes, Config
from flake8_torchloader.choosing.patterns import Patterns
from flake8_torchloader.files import files_of
from flake8_torchloader.finding import Finding
from flake8_torchloader.jobs import processes_for, spread
from flake8_torchloader.linting import lint
from flake8_torchloader.location import Cell, Place, place_of
from flake8_torchloader.noqa import Unused, audible, unused
from flake8_torchloader.notebooks import SUFFIX, read_notebook
from flake8_torchloader.problem import Problem


@dataclass(frozen=True)
class Linted:
    """A file and what was found in it, by the path that the user gave.

    `lines` are those that findings and their notes speak of, by number; `cells` are those of a notebook, whose lines
    are numbered as in one program (`place` tells where they stand). `unused` are comments that silence nothing.
    """

    path: Path
    findings: tuple[Finding, ...]
    lines: Mapping[int, str] = field(default_factory=dict, compare=False)
    cells: tuple[Cell, ...] = ()
    unused: tuple[Unused, ...] = ()

    def place(self, line: int) -> Place:
        """Where a line stands, as the author of the file counts."""
        return place_of(line, self.cells)


class Linter:
    """Lints files one by one, as a config wants it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        root = os.path.abspath(config.root)
        self._per_file = [(Patterns([pattern], root), codes) for pattern, codes in config.per_file_ignores]
        self._codes: dict[Codes, frozenset[str]] = {}

    def __call__(self, found: Path | Problem) -> Linted | Problem:
        """What is found in a file; what is a problem already stays one."""
        return found if isinstance(found, Problem) else self.file(found)

    def file(self, path: Path) -> Linted | Problem:
        """What is found in a file."""
        if path.exists() and not path.is_file():
            return Problem(path, "is neither a file nor a folder")
        try:
            return self.bytes(path.read_bytes(), path)
        except OSError as error:
            return Problem(path, error.strerror or "can't be read")

    def bytes(self, content: bytes, path: Path) -> Linted | Problem:
        """What is found in the content of a file, which is not opened."""
        if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return Problem(path, "is a binary file")
        try:
            return self.text(_decoded(content), path)
        except (SyntaxError, UnicodeError, LookupError) as error:
            return Problem(path, f"can't be decoded: {error}")

    def text(self, text: str, path: Path) -> Linted | Problem:
        """What is found in the text of a file, without what its comments silence."""
        cells: tuple[Cell, ...] | None = None
        if path.suffix == SUFFIX:
            try:
                notebook = read_notebook(text)
            except ValueError as error:
                return Problem(path, str(error))
            text, cells = notebook.text, notebook.cells
        try:
            return self._linted(text, path, cells)
        except Exception as error:
            return Problem(path, f"{type(error).__name__} while checking it")

    def _linted(self, text: str, path: Path, cells: tuple[Cell, ...] | None) -> Linted:
        codes = self._codes_for(path)
        found = lint(text, str(path), self._config.settings, codes, is_notebook=cells is not None)
        shown = tuple(found) if self._config.disable_noqa else audible(found, text)
        idle = unused(found, text, codes) if self._config.report_unused_noqa else ()
        return Linted(path, shown, _lines_of(shown, text), cells or (), idle)

    def _codes_for(self, path: Path) -> frozenset[str]:
        absolute = os.path.abspath(path)
        ignored = tuple(code for patterns, codes in self._per_file if patterns.cover(absolute) for code in codes)
        if ignored not in self._codes:
            self._codes[ignored] = self._config.selection.codes(ignored)
        return self._codes[ignored]


def lint_paths(paths: Iterable[Path], config: Config) -> Iterator[Linted | Problem]:
    """What is found in each file that the paths mean, in their order, and what could not be read."""
    files = list(files_of(paths, config))
    make: Callable[[], Linter] = partial(Linter, config)
    yield from spread(make, files, processes_for(len(files), config.jobs), _lost)


def _lost(found: Path | Problem) -> Problem:
    return found if isinstance(found, Problem) else Problem(found, "the process that checked it died")


def _decoded(content: bytes) -> str:
    """The text of a file in the encoding that Python would read it in, with plain line ends."""
    stream = io.BytesIO(content)
    encoding, _ = tokenize.detect_encoding(stream.readline)
    return io.TextIOWrapper(io.BytesIO(content), encoding).read()


def _lines_of(findings: Iterable[Finding], text: str) -> Mapping[int, str]:
    """The lines that findings and their notes speak of, by number."""
    numbers = {span.line for one in findings for span in (one.span, *(note.span for note in one.notes))}
    lines = text.split("\n") if numbers else []
    return {number: lines[number - 1] for number in sorted(numbers) if number <= len(lines)}
