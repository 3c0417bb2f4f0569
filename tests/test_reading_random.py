"""What is known of random generators, as far as a program can't show it with what is installed for the proofs."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from flake8_torchloader.finding import Finding
from flake8_torchloader.linting import lint

PIPELINE = """
import random
import albumentations as A
import numpy as np
from torch.utils.data import Dataset, IterableDataset, get_worker_info

class Photos(Dataset):
    def __init__(self):
        self.transform = A.Compose({steps})

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return self.transform(image=np.zeros((8, 8, 3), np.uint8))["image"]
"""

STREAM = """
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

class Shards(IterableDataset):
    def __init__(self, files):
        self.files = files
        self.rng = np.random.default_rng(0)

    def __iter__(self):
        info = get_worker_info()
{body}
"""


def findings(text: str) -> list[Finding]:
    return lint(dedent(text), "data.py", rules={"TLD501"})


@pytest.mark.parametrize("steps", ["[A.HorizontalFlip()]", "[A.RandomResizedCrop(size=(8, 8))], seed=0"])
def test_a_pipeline_of_albumentations_has_generators(steps: str) -> None:
    (finding,) = findings(PIPELINE.format(steps=steps))
    assert "1.4.21 to 2.0.8" in finding.message


@pytest.mark.parametrize(
    "steps",
    [
        "[A.Cutout()]",
        "[A.RandomResizedCrop(8, 8)]",
        "[A.RandomResizedCrop(height=8, width=8)]",
        "[A.CoarseDropout(max_holes=8)]",
        "[A.Normalize(always_apply=True)]",
    ],
)
def test_what_is_written_for_a_release_that_drew_from_global_generators_is_left_alone(steps: str) -> None:
    assert findings(PIPELINE.format(steps=steps)) == []


@pytest.mark.parametrize("steps", ["[A.Resize(8, 8), A.Normalize()]", "unknown()", "[]"])
def test_a_pipeline_that_is_not_seen_to_draw_is_left_alone(steps: str) -> None:
    assert findings(PIPELINE.format(steps=steps)) == []


def test_an_order_on_which_the_workers_agree_is_left_alone() -> None:
    body = "order = self.rng.permutation(len(self.files))\nyield from order[info.id::info.num_workers]"
    assert findings(STREAM.format(body=indent(body, " " * 8))) == []


def test_what_else_a_stream_draws_is_reported() -> None:
    body = "for file in self.files[info.id::info.num_workers]:\n    yield file, self.rng.random()"
    assert len(findings(STREAM.format(body=indent(body, " " * 8)))) == 1


def test_a_module_level_generator_that_worker_code_makes_again_is_left_alone() -> None:
    assert findings("""
        import random
        from torch.utils.data import Dataset

        RANDOM = random.Random(0)

        def renew(worker_id):
            global RANDOM
            RANDOM = random.Random(worker_id)

        class Pairs(Dataset):
            def __getitem__(self, index):
                return RANDOM.random()

            def __len__(self):
                return 8
    """) == []
