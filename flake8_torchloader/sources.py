"""From paths to findings: which files a path means, and what is found in each."""

from __future__ import annotations

import os
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flake8_torchloader.finding import Finding
from flake8_torchloader.linting import lint
from flake8_torchloader.noqa import audible
from flake8_torchloader.settings import Settings

SKIPPED = frozenset({"build", "__pycache__"})


@dataclass(frozen=True)
class Linted:
    """A file and what was found in it, by the path that the user gave."""

    path: Path
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Problem:
    """A path that could not be looked at, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """One line that names the thing."""
        return f"{self.path}: {self.reason}"


def lint_paths(
    paths: Iterable[Path], settings: Settings, rules: Collection[str] | None = None
) -> Iterator[Linted | Problem]:
    """What is found in each file that the paths mean, one after the other, and what could not be read."""
    for found in python_files(paths):
        yield found if isinstance(found, Problem) else lint_file(found, settings, rules)


def python_files(paths: Iterable[Path]) -> Iterator[Path | Problem]:
    """The files that paths mean, each once: a file means itself, a folder the `*.py` files in and below it.

    Below a folder, hidden folders, `build`, `__pycache__` and virtual environments (known by their `pyvenv.cfg`) are
    passed over, and links to folders are not followed.
    """
    seen = set()
    for path in paths:
        for found in _below(path) if path.is_dir() else [path]:
            if found not in seen:
                seen.add(found)
                yield found


def _below(folder: Path) -> Iterator[Path | Problem]:
    problems: list[Problem] = []
    for home, folders, files in os.walk(folder, onerror=_collector(problems)):
        folders[:] = sorted(name for name in folders if not _is_passed_over(Path(home, name)))
        yield from (Path(home, name) for name in sorted(files) if name.endswith(".py") and Path(home, name).is_file())
    yield from problems


def _collector(problems: list[Problem]) -> Callable[[OSError], None]:
    return lambda error: problems.append(Problem(Path(error.filename), error.strerror or "can't be read"))


def _is_passed_over(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in SKIPPED or (folder / "pyvenv.cfg").exists()


def lint_file(path: Path, settings: Settings, rules: Collection[str] | None = None) -> Linted | Problem:
    """What is found in one file, without what its comments silence."""
    if path.exists() and not path.is_file():
        return Problem(path, "is neither a file nor a folder")
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except OSError as error:
        return Problem(path, error.strerror or "can't be read")
    except (SyntaxError, UnicodeError, ValueError) as error:
        return Problem(path, f"can't be decoded: {error}")
    try:
        return Linted(path, audible(lint(text, str(path), settings, rules), text))
    except Exception as error:
        return Problem(path, f"{type(error).__name__} while checking it")
