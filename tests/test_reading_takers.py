"""Datasets that other files of a project use: those that no worker ever meets are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_torchloader.linting import lint

DATASET = """
import h5py
from torch.utils.data import Dataset

class Signals(Dataset):
    def __init__(self, path):
        self.file = h5py.File(path, "r")

    def __getitem__(self, index):
        return self.file["signal"][index]
"""
DERIVED = f"""{DATASET}
class Halves(Signals):
    def __getitem__(self, index):
        return self.file["signal"][index] / 2
"""
SHOWN = f"""{DATASET}
if __name__ == "__main__":
    from torch.utils.data import DataLoader
    print(list(DataLoader(Signals("signals.h5"), batch_size=4)))
"""
HEAD = "from torch.utils.data import DataLoader\nfrom data import Signals\n"
IDLE = f"{HEAD}\ndef look(path):\n    return DataLoader(Signals(path), num_workers=0)\n"
BUSY = f"{HEAD}\ndef train(path):\n    signals = Signals(path)\n    return DataLoader(signals, num_workers=2)\n"
OPEN = f"{HEAD}\ndef train(path, options):\n    return DataLoader(Signals(path), **options)\n"
HALVES = "from torch.utils.data import DataLoader\nfrom data import Halves\n\nhalves = DataLoader(Halves('x'))\n"
BUILDS = "from data import Signals\n\ndef build(name, path):\n    return {'signals': Signals}[name](path)\n"
CALLS = "from data import Signals\nfrom trainer import Trainer\n\nTrainer(Signals('x')).run()\n"
IMPORTS = "from data import (\n    Signals,\n)  # Signals are read here\n"
TRAINER = """
from torch.utils.data import DataLoader

class Trainer:
    def __init__(self, dataset):
        self.dataset = dataset

    def run(self):
        for batch in DataLoader(self.dataset, batch_size=4):
            print(batch)
"""
OTHERS = "from torch.utils.data import DataLoader\n\ndef other(data):\n    return DataLoader(data, num_workers=4)\n"

SILENT = {
    "idle": {"look.py": IDLE},
    "idle-twice": {"look.py": IDLE, "again.py": IDLE},
    "beside-an-import": {"look.py": IDLE, "types.py": IMPORTS},
    "beside-tests": {"look.py": IDLE, "tests/test_data.py": BUSY},
    "beside-other-loaders": {"look.py": IDLE, "other.py": OTHERS},
    "no-workers-at-all": {"main.py": CALLS, "trainer.py": TRAINER},
}
REPORTED = {
    "alone": {},
    "busy": {"train.py": BUSY},
    "busy-beside-idle": {"look.py": IDLE, "train.py": BUSY},
    "options": {"train.py": OPEN},
    "only-tests": {"tests/test_data.py": IDLE},
    "built-for-others": {"look.py": IDLE, "registry.py": BUILDS, "other.py": OTHERS},
    "given-to-a-trainer": {"main.py": CALLS, "trainer.py": TRAINER, "other.py": OTHERS},
}


def codes(top: Path, dataset: str, files: dict[str, str]) -> list[str]:
    (top / "pyproject.toml").touch()
    for name, text in {**files, "data.py": dataset}.items():
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(text)
    return [finding.code for finding in lint(dataset, str(top / "data.py"))]


@pytest.mark.parametrize("files", SILENT.values(), ids=SILENT)
def test_what_meets_no_worker_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    assert codes(tmp_path, DATASET, files) == []


@pytest.mark.parametrize("files", REPORTED.values(), ids=REPORTED)
def test_what_may_meet_workers_is_spoken_of(tmp_path: Path, files: dict[str, str]) -> None:
    assert codes(tmp_path, DATASET, files) == ["TLD203"]


def test_a_base_is_left_alone_if_all_that_is_derived_from_it_is(tmp_path: Path) -> None:
    assert codes(tmp_path, DERIVED, {"halves.py": HALVES}) == []


def test_a_base_meets_the_workers_of_what_is_derived_from_it(tmp_path: Path) -> None:
    assert codes(tmp_path, DERIVED, {"halves.py": HALVES.replace("('x'))", "('x'), num_workers=1)")}) == ["TLD203"]


@pytest.mark.parametrize("files", [{}, {"look.py": IDLE}, {"tests/test_data.py": IDLE}])
def test_a_loader_under_the_guard_shows_a_dataset_without_workers(tmp_path: Path, files: dict[str, str]) -> None:
    assert codes(tmp_path, SHOWN, files) == []


@pytest.mark.parametrize("files", [{"train.py": BUSY}, {"train.py": BUSY, "look.py": IDLE}, {"train.py": OPEN}])
def test_what_is_shown_without_workers_may_meet_them_elsewhere(tmp_path: Path, files: dict[str, str]) -> None:
    assert codes(tmp_path, SHOWN, files) == ["TLD203"]
