"""Samplers of other files: which of them a call is seen to get, by the tests on which they rest there."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from flake8_torchloader.linting import lint

FACTORY = """
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, SequentialSampler

def make_loader(dataset, distributed=False, world_size=1, kind="plain"):
{body}
    return DataLoader(dataset, sampler=sampler, num_workers=2)
"""
PROGRAM = """
import argparse
import torch
from torch.utils.data import Dataset
from data import make_loader

def main(dataset, step):
    parser = argparse.ArgumentParser()
    parser.add_argument("--distributed", action="store_true")
    parser.add_argument("--world-size", type=int, default=1)
    args = parser.parse_args()
    loader = {call}
    for epoch in range(10):
        for batch in loader:
            step(batch)
"""
IF = """
if distributed:
    sampler = DistributedSampler(dataset)
else:
    sampler = RandomSampler(dataset)
"""
NOT = """
if not distributed:
    sampler = RandomSampler(dataset)
else:
    sampler = DistributedSampler(dataset)
"""
CHOICE = "sampler = DistributedSampler(dataset) if world_size > 1 else None"
OTHER_CHOICE = "sampler = None if world_size == 1 else DistributedSampler(dataset)"
INNER = """
sampler = None
if kind:
    if distributed:
        sampler = DistributedSampler(dataset)
"""
ALWAYS = "sampler = DistributedSampler(dataset)"
BODIES = [IF, NOT, CHOICE, OTHER_CHOICE, INNER]


def found(folder: Path, body: str, call: str) -> list[str]:
    (folder / "data.py").write_text(FACTORY.format(body=indent(dedent(body), "    ")))
    program = folder / "main.py"
    program.write_text(PROGRAM.format(call=call))
    return [finding.code for finding in lint(program.read_text(), str(program))]


@pytest.mark.parametrize("body", [*BODIES, ALWAYS])
@pytest.mark.parametrize("given", ["distributed=True, world_size=2", "args.distributed, args.world_size", "*step"])
def test_what_may_be_made_is_spoken_of(tmp_path: Path, body: str, given: str) -> None:
    assert found(tmp_path, body, f"make_loader(dataset, {given})") == ["TLD505"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("given", ["", "distributed=False", "False, 1"])
def test_what_a_written_argument_excludes_is_not(tmp_path: Path, body: str, given: str) -> None:
    assert found(tmp_path, body, f"make_loader(dataset, {given})") == []


def test_what_returns_first_is_a_test_as_well(tmp_path: Path) -> None:
    body = """
    if not distributed:
        return DataLoader(dataset, num_workers=2)
    sampler = DistributedSampler(dataset)
    """
    assert found(tmp_path, body, "make_loader(dataset)") == []
    assert found(tmp_path, body, "make_loader(dataset, distributed=True)") == ["TLD505"]


def test_a_word_for_the_epoch_in_what_is_imported_silences(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text("def before(loader, epoch):\n    loader.sampler.set_epoch(epoch)\n")
    call = "make_loader(dataset, distributed=True)"
    assert found(tmp_path, f"import hooks\n{ALWAYS}", call) == ["TLD505"]
    (tmp_path / "data.py").write_text("import hooks\n" + (tmp_path / "data.py").read_text())
    program = tmp_path / "main.py"
    assert lint(program.read_text(), str(program)) == []
