"""Whatever is changed in a project: what is found with the cache is what is found without.

Projects are made of pieces that lead from file to file, and edited at random; then the key of the cache is spoiled
in every way that it could be too small in, and the same test must fail.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flake8_torchloader import disk, sources
from flake8_torchloader.cache import key
from flake8_torchloader.choosing.config import Config
from flake8_torchloader.disk import Fact
from flake8_torchloader.linted import Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.reading.project import other_file
from flake8_torchloader.sources import lint_paths
from flake8_torchloader.start_method import StartMethod

NAMES = (
    "main.py", "data.py", "data/__init__.py", "data/base.py", "base.py", "pkg/__init__.py", "pkg/main.py",
    "pkg/data.py", "pkg/base.py", "setup.py", "odd.py", "book.ipynb",
)  # fmt: skip
MODULES = ("data", "base", "data.base", "pkg.data", ".data", ".base", "pkg", "odd")

ITERATED = """\
import torch.utils.data  # DataLoader
from {module} import make_loader

loader = make_loader(2)
for batch in loader:
    print(batch)
"""
MAKING = """\
from torch.utils.data import DataLoader


def make_loader(workers):
    return DataLoader(range(8), num_workers={digit})
"""
HANDED_ON = "from {module} import make_loader\n"
ALL_HANDED_ON = "from {module} import *\n"
RESIZING = """\
import cv2
import {module}
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return cv2.resize(index, (8, 8))


if __name__ == "__main__":
    for batch in DataLoader(Images(), num_workers=2):
        print(batch)
"""
LIMITING = "import cv2\n\ncv2.setNumThreads({digit})\n"
SILENCED = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers={digit})  # noqa: TLD{digit}
    print(next(iter(loader)))
"""
LARGE = """\
import numpy
from torch.utils.data import Dataset


class Numbers(Dataset):
    def __init__(self):
        self.numbers = numpy.zeros(({digit}4, 1000, 1000))

    def __getitem__(self, index):
        return self.numbers[index]
"""
BROKEN = "import torch\nDataLoader(num_workers={digit}\n"
NOTEBOOK = '{{"cells": [{{"cell_type": "code", "source": "{source}"}}]}}'
PIECES = ("", ITERATED, MAKING, HANDED_ON, ALL_HANDED_ON, RESIZING, LIMITING, SILENCED, LARGE, BROKEN)

PROJECT = {
    "main.py": ITERATED.format(module="data"),
    "data.py": HANDED_ON.format(module="base"),
    "base.py": MAKING.format(digit=2),
    "odd.py": RESIZING.format(module="base"),
    "pkg/main.py": ITERATED.format(module=".data"),
    "pkg/data.py": MAKING.format(digit=2),
}

Edit = Callable[["Project"], None]


@dataclass
class Project:
    """A folder with files, and how they are linted."""

    folder: Path
    config: Config

    def path(self, name: str) -> Path:
        return self.folder / name

    def found(self, *, cache: bool) -> list[Linted | Problem]:
        """What a process that has just been started finds."""
        other_file._KEPT.clear()
        disk._known_search.cache_clear()
        return list(lint_paths([self.folder], self.config.but(cache=cache)))


def write(name: str, text: str) -> Edit:
    def edit(project: Project) -> None:
        path = project.path(name)
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".ipynb"):
            source = text.replace("\n", "\\n").replace('"', '\\"')
            path.write_text(NOTEBOOK.format(source=source), encoding="utf-8")
        else:
            path.write_text(text, encoding="utf-8")

    return edit


def flip(name: str) -> Edit:
    """Change a file so that nobody can see it from outside: it keeps its size and its time."""

    def edit(project: Project) -> None:
        path = project.path(name)
        if path.exists():
            before = path.stat()
            path.write_text(path.read_text("utf-8").translate({50: "0", 48: "2"}), encoding="utf-8")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return edit


def move(name: str, other: str) -> Edit:
    def edit(project: Project) -> None:
        if project.path(name).exists():
            project.path(other).parent.mkdir(exist_ok=True)
            project.path(name).replace(project.path(other))

    return edit


def remove(name: str) -> Edit:
    return lambda project: project.path(name).unlink(missing_ok=True)


def remove_folder(name: str) -> Edit:
    return lambda project: shutil.rmtree(project.path(name).parent, ignore_errors=True) if "/" in name else None


def touch(name: str) -> Edit:
    return lambda project: os.utime(project.path(name)) if project.path(name).exists() else None


def choose(**choices: object) -> Edit:
    def edit(project: Project) -> None:
        project.config = project.config.but(**choices)

    return edit


names = st.sampled_from(NAMES)
texts = st.builds(
    lambda piece, module, digit: piece.format(module=module, digit=digit),
    st.sampled_from(PIECES), st.sampled_from(MODULES), st.sampled_from((0, 2)),
)  # fmt: skip
choices: st.SearchStrategy[dict[str, object]] = st.sampled_from([
    {"start_methods": frozenset({StartMethod.FORK})}, {"start_methods": frozenset(StartMethod)},
    {"large_array": 1 << 20}, {"large_array": 1 << 40}, {"follow_depth": 0}, {"follow_depth": 1}, {"follow_depth": 6},
    {"follow_files": 1}, {"follow_files": 100}, {"select": ("TLD1",)}, {"select": None}, {"ignore": ("TLD101",)},
    {"per_file_ignores": (("pkg/", ("TLD1",)),)}, {"disable_noqa": True}, {"disable_noqa": False},
    {"report_unused_noqa": True}, {"exclude": ("data*",)}, {"exclude": ()},
])  # fmt: skip
edits = st.one_of(
    st.builds(write, names, texts), st.builds(flip, names), st.builds(move, names, names), st.builds(remove, names),
    st.builds(remove_folder, names), st.builds(touch, names), choices.map(lambda chosen: choose(**chosen)),
)  # fmt: skip
games = st.lists(edits, min_size=1, max_size=12)


@contextmanager
def project() -> Iterator[Project]:
    with tempfile.TemporaryDirectory() as name:
        made = Project(Path(name), Config(root=Path(name)))
        for file, text in PROJECT.items():
            write(file, text)(made)
        yield made


def play(game: Sequence[Edit]) -> None:
    """Edit a project step by step, and look each time whether the cache makes a difference."""
    with project() as made:
        assert len(made.found(cache=True)) == len(PROJECT)
        for edit in game:
            edit(made)
            assert made.found(cache=True) == made.found(cache=False)


@given(games)
def test_the_cache_makes_no_difference(game: Sequence[Edit]) -> None:
    play(game)


def test_the_cache_is_of_use() -> None:
    with project() as made:
        first = made.found(cache=True)
        sources_of_findings = pytest.MonkeyPatch()
        with sources_of_findings.context() as patch:
            patch.setattr(sources.Linter, "__call__", lambda linter, path: pytest.fail(f"{path} was linted again"))
            assert made.found(cache=True) == first
            flip("pkg/data.py")(made)
            with pytest.raises(pytest.fail.Exception):
                made.found(cache=True)


def deaf_to(question: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Let nobody hear of one kind of question."""
    original = disk.tell

    def tell(asked: str, about: str, answer: str) -> None:
        if asked != question:
            original(asked, about, answer)

    def spoil(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(disk, "tell", tell)
        patch.setattr(other_file, "tell", tell)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda patch: patch.setattr(Fact, "holds", lambda fact: True),
        deaf_to("kind"),
        deaf_to("content"),
        deaf_to("search"),
        lambda patch: patch.setattr(sources, "digest", lambda content: "any"),
        lambda patch: patch.setattr(key, "key", lambda config, folder: "any"),
    ],
    ids=["followed", "kinds", "contents", "searches", "content", "choices"],
)
def test_a_smaller_key_is_found_wanting(spoil: Callable[[pytest.MonkeyPatch], None]) -> None:
    test = settings(max_examples=1000, phases=[Phase.generate], derandomize=True, database=None)(given(games)(play))

    with pytest.MonkeyPatch.context() as patch:
        spoil(patch)
        with pytest.raises(AssertionError):
            test()
