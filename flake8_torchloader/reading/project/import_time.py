"""Which files run when another is imported, and which scripts of the project import it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from flake8_torchloader.reading.project.imports import Imports, Visited
from flake8_torchloader.reading.project.other_file import OtherFile, other_file


def imported_files(imports: Imports, names: Iterable[str]) -> Iterator[OtherFile]:
    """The files of the project that run whenever the linted one does, the nearest first; `names` are its imports.

    To import it, Python runs the packages that it lies in before it.
    """
    runs = (imports.project.name, *names)
    waiting = [visited for name in runs for visited in imports.modules(name, imports.path, 1)]
    seen: set[Path] = set()
    while waiting:
        visited = waiting.pop(0)
        if visited.file.path in seen:
            continue
        seen.add(visited.file.path)
        yield visited.file
        waiting += _next(imports, visited)


def _next(imports: Imports, visited: Visited) -> Iterator[Visited]:
    whole: set[str] = set()
    for name in visited.file.outline.imports:
        base, _, last = name.rpartition(".")
        found = list(imports.modules(name, visited.file.path, visited.hops + 1)) if base not in whole else []
        if found and found[-1].file.path.name == f"{last}.py":
            whole.add(name)  # no more files lie behind what is imported from it
        yield from found


def importing_files(imports: Imports, paths: Iterable[Path]) -> Iterator[OtherFile]:
    """Those of some files that import the linted file, themselves or through others."""
    for path in paths:
        file = other_file(path) if path != imports.path else None
        if file is not None and _imports(file, imports):
            yield file


def _imports(file: OtherFile, imports: Imports) -> bool:
    around = Imports(imports.names, file.path, imports.settings)
    return any(one.path == imports.path for one in imported_files(around, file.outline.imports))
