"""From paths to findings: what is found in each file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_torchloader.cache.cache import Cache, cache_of
from flake8_torchloader.choosing.config import Codes, Config
from flake8_torchloader.choosing.patterns import Patterns
from flake8_torchloader.disk import digest, listening
from flake8_torchloader.files import NOTEBOOK, files_of
from flake8_torchloader.gate import text_may_matter
from flake8_torchloader.linted import Learned, Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.source_text import decoded

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.location import Cell


class Linter:
    """Lints files one by one, as a config wants it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        root = os.path.abspath(config.root)
        self._per_file = [(Patterns([pattern], root), codes) for pattern, codes in config.per_file_ignores]
        self._codes: dict[Codes, frozenset[str]] = {}

    def __call__(self, path: Path) -> Learned:
        """What is found in a file, and what that rests on."""
        content = _content(path)
        if isinstance(content, Problem):
            return Learned(content)
        with listening() as heard:
            said = self.bytes(content, path)
        return Learned(said, digest(content), heard())

    def at_a_glance(self, path: Path, cache: Cache | None = None) -> Linted | Problem | None:
        """What is found in a file where that is told without linting it: it can't matter, or the cache knows of it."""
        content = _content(path)
        if isinstance(content, Problem):
            return content
        text = _text(content, path) if path.suffix != NOTEBOOK else ""
        if isinstance(text, Problem):
            return text
        if path.suffix != NOTEBOOK and not self._may_matter(text):
            return Linted(path, ())
        return cache.find(path, digest(content)) if cache is not None else None

    def _may_matter(self, text: str) -> bool:
        return text_may_matter(text) or (self._config.report_unused_noqa and "noqa" in text.lower())

    def bytes(self, content: bytes, path: Path) -> Linted | Problem:
        """What is found in the content of a file, which is not opened."""
        text = _text(content, path)
        return text if isinstance(text, Problem) else self.text(text, path)

    def text(self, text: str, path: Path) -> Linted | Problem:
        """What is found in the text of a file, without what its comments silence."""
        cells: tuple[Cell, ...] | None = None
        if path.suffix == NOTEBOOK:
            from flake8_torchloader.notebooks import read_notebook

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
        from flake8_torchloader.linting import lint
        from flake8_torchloader.noqa import audible, unused

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
    linter = Linter(config)
    with cache_of(config) as cache:
        seen = [one if isinstance(one, Problem) else linter.at_a_glance(one, cache) for one in files]
        rest = [path for path, said in zip(files, seen) if said is None and isinstance(path, Path)]
        with closing(_learned(rest, config)) as learned:
            for said in seen:
                yield _kept(next(learned), cache) if said is None else said


def _learned(paths: list[Path], config: Config) -> Generator[Learned, None, None]:
    """What is found in files that have to be linted, by as many processes as pay off."""
    if not paths:
        return
    from flake8_torchloader.jobs import processes_for, spread

    make: Callable[[], Linter] = partial(Linter, config)
    yield from spread(make, paths, processes_for(len(paths), config.jobs), _lost)


def _kept(learned: Learned, cache: Cache | None) -> Linted | Problem:
    if cache is not None:
        cache.keep(learned)
    return learned.said


def _lost(path: Path) -> Learned:
    return Learned(Problem(path, "the process that checked it died"))


def _content(path: Path) -> bytes | Problem:
    """The content of a file."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return Problem(path, "is neither a file nor a folder")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        return Problem(path, error.strerror or "can't be read")


def _text(content: bytes, path: Path) -> str | Problem:
    """The text of a file."""
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(path, "is a binary file")
    try:
        return decoded(content)
    except (SyntaxError, UnicodeError, LookupError) as error:
        return Problem(path, f"can't be decoded: {error}")


def _lines_of(findings: Iterable[Finding], text: str) -> dict[int, str]:
    """The lines that findings and their notes speak of, by number."""
    numbers = {span.line for one in findings for span in (one.span, *(note.span for note in one.notes))}
    lines = text.split("\n") if numbers else []
    return {number: lines[number - 1] for number in sorted(numbers) if number <= len(lines)}
