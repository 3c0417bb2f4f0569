"""When a dataset is changed too late for its workers, and how real programs ask these to stay."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from flake8_torchloader.linting import lint

PROGRAM = """
from torch.utils.data import DataLoader, Dataset

class Growing(Dataset):
    def __init__(self):
        self.epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return index * self.epoch

def train_epoch(model, loader, epoch):
{told}
    for batch in loader:
        model(batch)

def main(args, model):
    dataset = Growing()
    loader = DataLoader(dataset, num_workers=args.workers, persistent_workers={persistent})
{loop}
"""
CALLED = """
for epoch in range(args.epochs):
    train_epoch(model, loader, epoch)
"""


def is_late(told: str = "pass", loop: str = CALLED, persistent: str = "True") -> bool:
    parts = {"told": indent(dedent(told).strip(), "    "), "loop": indent(dedent(loop).strip(), "    ")}
    found = lint(PROGRAM.format(persistent=persistent, **parts), "train.py", rules={"TLD503"})
    return [finding.code for finding in found] == ["TLD503"]


@pytest.mark.parametrize(
    ("persistent", "late"),
    [
        ("True", True),
        ("args.workers > 0", True),
        ("bool(args.workers)", True),
        ("True if args.workers else False", True),
        ("False if args.workers == 0 else True", True),
        ("False", False),
        ("args.persistent", False),
        ("False if args.workers else False", False),
    ],
)
def test_workers_stay_where_that_is_asked_for(persistent: str, late: bool) -> None:
    assert is_late("loader.dataset.set_epoch(epoch)", persistent=persistent) is late


@pytest.mark.parametrize(
    ("told", "late"),
    [
        ("loader.dataset.set_epoch(epoch)", True),
        ("loader.dataset.epoch = epoch", True),
        ("if hasattr(loader.dataset, 'set_epoch'):\n    loader.dataset.set_epoch(epoch)", True),
        ("if epoch == 0:\n    loader.dataset.set_epoch(1)", False),
        ("if epoch > 10:\n    loader.dataset.set_epoch(1)", False),
        ("loader.sampler.set_epoch(epoch)", False),
        ("model.set_epoch(epoch)", False),
    ],
)
def test_a_function_tells_the_dataset_at_each_epoch(told: str, late: bool) -> None:
    assert is_late(told) is late


@pytest.mark.parametrize(
    ("loop", "late"),
    [
        ("for step, batch in enumerate(loader):\n    if step == 5:\n        dataset.set_epoch(1)", True),
        ("for batch in loader:\n    dataset.steps = 1", False),
        ("dataset.set_epoch(1)\nfor batch in loader:\n    model(batch)", False),
        ("for batch in loader:\n    model(batch)\ndataset.set_epoch(1)", False),
        (
            "for epoch in range(3):\n    dataset.set_epoch(epoch)\n    if epoch == args.turn:\n"
            "        loader = DataLoader(dataset, num_workers=2)\n    for batch in loader:\n        model(batch)",
            False,
        ),
    ],
)
def test_a_change_is_late_once_the_workers_have_started(loop: str, late: bool) -> None:
    assert is_late(loop=loop) is late
