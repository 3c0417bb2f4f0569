"""Samplers that are never told the epoch, and changes that come too late: what is spoken of, and what is left alone."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from flake8_torchloader.linting import lint

SAMPLING = """
from accelerate import Accelerator
from torch.utils.data import DataLoader, DistributedSampler
from tqdm import tqdm
from engine import train_one_epoch

def main(dataset, val_dataset, trainer, step, args):
{body}
"""

CHANGING = """
import torch
from torch.utils.data import DataLoader, Dataset
from elsewhere import Unknown

class Growing(Dataset):
    def __init__(self):
        self.epoch, self.seen, self.history = 0, 0, []

    def set_epoch(self, epoch):
        self.epoch = epoch

    def note(self, loss):
        self.history = [*self.history, loss]

    def __getitem__(self, index):
        self.seen += 1
        return index * self.epoch

    def __len__(self):
        return 8

def main(step, make_dataset):
    {dataset}
    loader = DataLoader(dataset, num_workers=2, persistent_workers={persistent})
{body}
"""


EPOCHS = "for epoch in range(9):\n    dataset.set_epoch(epoch)\n    for batch in loader:\n        step(batch)"


def sampled(body: str) -> list[str]:
    text = SAMPLING.format(body=indent(dedent(body).strip(), "    "))
    return [finding.code for finding in lint(text, "train.py", rules={"TLD505"})]


def changed(body: str, dataset: str = "dataset = Growing()", persistent: str = "True") -> list[str]:
    text = CHANGING.format(body=indent(dedent(body).strip(), "    "), dataset=dataset, persistent=persistent)
    return [finding.code for finding in lint(text, "train.py", rules={"TLD503"})]


@pytest.mark.parametrize(
    "loop",
    [
        "for epoch in range(9):\n    for batch in loader:\n        step(batch)",
        "for epoch in tqdm(range(args.epochs)):\n    for i, batch in enumerate(tqdm(loader)):\n        step(batch)",
        "while True:\n    losses = [step(batch) for batch in loader]",
    ],
)
def test_loops_over_epochs(loop: str) -> None:
    sampler = "sampler = DistributedSampler(dataset)\nloader = DataLoader(dataset, sampler=sampler)"
    assert sampled(f"{sampler}\n{loop}") == ["TLD505"]


@pytest.mark.parametrize(
    "body",
    [
        """
        loader = DataLoader(dataset, sampler=DistributedSampler(dataset))
        for epoch in range(9):
            train_one_epoch(loader)
        """,
        """
        loader = Accelerator().prepare(DataLoader(dataset, sampler=DistributedSampler(dataset)))
        for epoch in range(9):
            for batch in loader:
                step(batch)
        """,
        """
        loader = DataLoader(dataset, sampler=DistributedSampler(dataset))
        trainer.fit(loader)
        """,
        """
        val_loader = DataLoader(val_dataset, sampler=DistributedSampler(val_dataset))
        for epoch in range(9):
            for batch in val_loader:
                step(batch)
        """,
        """
        loader = DataLoader(dataset, sampler=DistributedSampler(dataset, shuffle=args.shuffle))
        for epoch in range(9):
            for batch in loader:
                step(batch)
        """,
        """
        for fold in range(5):
            loader = DataLoader(dataset, sampler=DistributedSampler(dataset))
            for batch in loader:
                step(batch)
        """,
        """
        loader = DataLoader(dataset, sampler=DistributedSampler(dataset))
        for epoch in range(1):
            for batch in loader:
                step(batch)
        """,
        """
        loader = DataLoader(dataset, sampler=DistributedSampler(dataset))
        for epoch in range(9):
            getattr(loader.sampler, "set_epoch")(epoch)
            for batch in loader:
                step(batch)
        """,
    ],
    ids=["function of another file", "accelerate", "trainer", "validation", "unknown", "folds", "one epoch", "getattr"],
)
def test_samplers_that_are_left_alone(body: str) -> None:
    assert sampled(body) == []


@pytest.mark.parametrize(
    "change", ["dataset.set_epoch(epoch)", "loader.dataset.set_epoch(epoch)", "dataset.epoch = epoch"]
)
def test_changes_in_the_loop(change: str) -> None:
    body = f"for epoch in range(9):\n    {change}\n    for batch in loader:\n        step(batch)"
    assert changed(body) == ["TLD503"]
    assert changed(body, persistent="False") == []


def test_an_attribute_of_an_unknown_dataset() -> None:
    body = "for epoch in range(9):\n    for batch in loader:\n        step(batch)\n    loader.dataset.size = epoch"
    assert changed(body, dataset="dataset = Unknown()") == ["TLD503"]


@pytest.mark.parametrize(
    ("body", "dataset"),
    [
        ("dataset.set_epoch(1)\nfor batch in loader:\n    step(batch)", "dataset = Growing()"),
        ("for batch in loader:\n    dataset.note(step(batch))", "dataset = Growing()"),
        ("for epoch in range(9):\n    dataset.set_epoch(epoch)\n    step(loader.batch_size)", "dataset = Growing()"),
        (EPOCHS, "dataset = Unknown()"),
        (EPOCHS, "dataset = make_dataset()"),
        ("for e in range(9):\n    other = Growing()\n    other.set_epoch(e)\n    for x in loader:\n        step(x)",
         "dataset = Growing()"),
    ],
    ids=["before", "only the parent reads it", "no loop", "method of another file", "unknown dataset", "other object"],
)
def test_changes_that_are_left_alone(body: str, dataset: str) -> None:
    assert changed(body, dataset) == []
