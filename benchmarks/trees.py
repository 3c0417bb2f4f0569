"""Folders to lint: those that are given, and made ones, which show what real projects have too little of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FILES_PER_FOLDER = 100
FILES_WITH_TORCH = 3
"""Of so many programs without a loader, one imports torch, so that the gate on the text is put to work."""

SCRIPT = """\
import torch
from torch.utils.data import DataLoader, TensorDataset
numbers = TensorDataset(torch.zeros(#, 8))
loader = DataLoader(numbers, batch_size=4, num_workers=2)
for batch in loader:
    print(batch)
"""

WITHOUT_LOADER = """\
import @
import os


class Part#:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "part#")
        self.numbers = [@.sqrt(@.e * n) for n in range(#)]

    def total(self, weights):
        return sum(weight * number for weight, number in zip(weights, self.numbers))
"""


@dataclass(frozen=True)
class Tree:
    """A folder or file: what it is called in tables, how much it holds, and the interest that it is measured with.

    `is_heavy` are projects that have much to do with torch; `times` is how often it is run for each repetition, which
    is more than once where a run is short.
    """

    name: str
    path: Path
    files: int
    lines: int
    is_heavy: bool = False
    times: int = 1


def given(path: Path) -> Tree:
    """A project that is there."""
    sizes = [file.read_bytes().count(b"\n") for file in path.rglob("*.py") if file.is_file()]
    return Tree(path.name, path, len(sizes), sum(sizes), is_heavy=True)


def empty_file(folder: Path) -> Tree:
    """One file with nothing in it."""
    path = folder / "empty.py"
    path.touch()
    return Tree("an empty file", path, 1, 0, times=5)


def one_script(folder: Path) -> Tree:
    """One script with a loader, which the cache knows where an empty file is told without it."""
    path = folder / "one.py"
    path.write_text(_script(0), encoding="utf-8")
    return Tree("a six-line script with a loader", path, 1, SCRIPT.count("\n"), times=5)


def loader_scripts(folder: Path, files: int) -> Tree:
    """Scripts of six lines, each with a loader at module level."""
    return _made("six-line scripts with a loader", folder / "scripts", files, _script, times=2)


def without_loaders(folder: Path, files: int) -> Tree:
    """Programs that load no data."""
    return _made("programs without a loader", folder / "without", files, _without_loader)


def small_files(folder: Path, files: int) -> Tree:
    """Programs of one line."""
    return _made("files of one line", folder / "small", files, _small)


def _made(name: str, folder: Path, files: int, text: Callable[[int], str], times: int = 1) -> Tree:
    for number in range(files):
        home = folder / f"package{number // FILES_PER_FOLDER}"
        if number % FILES_PER_FOLDER == 0:
            home.mkdir(parents=True)
        (home / f"part{number}.py").write_text(text(number), encoding="utf-8")
    return Tree(f"{files:,} {name}", folder, files, files * text(0).count("\n"), times=times)


def _script(number: int) -> str:
    return SCRIPT.replace("#", str(number + 8))


def _without_loader(number: int) -> str:
    library = "torch" if number % FILES_WITH_TORCH == 0 else "math"
    return WITHOUT_LOADER.replace("@", library).replace("#", str(number))


def _small(number: int) -> str:
    return f"NUMBER = {number}\n"
