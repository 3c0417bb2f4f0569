"""A file that makes no loader is only read if its datasets may matter: nothing may be lost by that."""

from __future__ import annotations

import ast
import re

import pytest
from test_fixtures import FILES, identifier, read

from flake8_torchloader import reading
from flake8_torchloader.finding import Finding
from flake8_torchloader.linting import lint
from flake8_torchloader.reading.relevance import Interest, interest_in
from flake8_torchloader.reading.suspicion import datasets_may_matter
from flake8_torchloader.reading.tree.syntax import walked
from flake8_torchloader.rules import all_rules

CODES = frozenset(rule.code for rule in all_rules())
LOADING = re.compile("oader|Sampler|workers")
DATASET = """\
import sys
from pathlib import Path
import h5py as h5
import numpy as np
import torch
from torch.utils.data import Dataset
class Pairs(Dataset):
    def __init__(self, path):
        self.path = path
        self.items = torch.load(path)
        {init}
    def download(self):
        {aside}
    def __getitem__(self, index):
        {item}
        return self.items[index]
{top}
"""


def without_loaders(text: str) -> str:
    """A program without the statements of its top level that have to do with loaders."""
    tree = ast.parse(text)
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            statement.names = [alias for alias in statement.names if not LOADING.search(alias.name)]
    whole = [one for one in tree.body if not isinstance(one, ast.ImportFrom) or one.names]
    kept = [one for one in map(ast.unparse, whole) if not LOADING.search(one)]
    return "\n".join(["import torch", *kept]) + "\n"


def found(text: str) -> list[Finding]:
    return lint(text, "", rules=CODES)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "TLD000"], ids=identifier)
def test_nothing_is_lost_of_a_program_without_its_loaders(path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    text = without_loaders(read(path))  # type: ignore[arg-type]
    gated = found(text)
    monkeypatch.setattr(reading, "datasets_may_matter", lambda *others: True)
    assert gated == found(text)


def test_many_programs_without_their_loaders_still_have_findings() -> None:
    left = [without_loaders(read(path)) for path in FILES if path.parent.name in ("TLD203", "TLD204", "TLD301")]
    assert sum(bool(found(text)) for text in left) > 40


def matters(*, init: str = "pass", aside: str = "pass", item: str = "pass", top: str = "") -> bool:
    text = DATASET.format(init=init, aside=aside, item=item, top=top)
    levels = walked(ast.parse(text))
    assert interest_in(levels, text) is Interest.DATASETS
    return datasets_may_matter(levels, text, lambda name: name == "helpers.opened")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("init", "pass"),
        ("init", "self.length = len(np.asarray(path))"),
        ("init", "self.names = sorted(path)"),
        ("init", "self.length = sum(len(name) for name in path)"),
        ("aside", "rows = np.load('rows.npy')"),
        ("aside", "rows[0] = open('rows.txt').read()"),
        ("item", "print(np.load('rows.npy'))"),
        ("top", "def convert(path):\n    np.save(path, np.load(path))"),
    ],
)
def test_a_dataset_that_keeps_nothing_suspect_does_not_matter(place: str, line: str) -> None:
    assert not matters(**{place: line})


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("init", "self.rows = np.load('rows.npy')"),
        ("init", "self.file = h5.File(path)"),
        ("init", "self.files = {'a': open(path)}"),
        ("init", "self.file = Path(path).open()"),
        ("init", "self.transform = lambda x: x"),
        ("init", "self.names = (name for name in path)"),
        ("init", "self.np = np"),
        ("init", "self.out = sys.stdout"),
        ("init", "self.rows = self.download()"),
        ("aside", "return np.load('rows.npy')\n    def again(self):\n        self.rows = self.download()"),
        ("aside", "self.rows.append(np.load('rows.npy'))"),
        ("aside", "self.rows[0] = open('rows.txt')"),
        ("aside", "random = np.random.default_rng(0)"),
        ("aside", "yield 1"),
        ("aside", "def inner(): pass"),
        ("item", "self.items[index] = 1"),
        ("item", "item = self.items[index]; item['seen'] = True"),
        ("item", "self.seen.add(index)"),
        ("top", "PAIRS = Pairs(h5.File('pairs.h5'))"),
        ("top", "def pairs():\n    return Pairs(h5.File('pairs.h5'))"),
        ("top", "class Threads(Dataset):\n    def __iter__(self): return self"),
        ("top", "from helpers import opened"),
        ("top", "from somewhere import *"),
        ("top", "import cv2"),
    ],
)
def test_what_may_be_kept_or_changed_matters(place: str, line: str) -> None:
    if place == "init" and "download" in line:
        assert matters(init=line, aside="return np.load('rows.npy')")
    else:
        assert matters(**{place: line})
