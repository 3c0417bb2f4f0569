"""What a worker_init_fn seeds with: the forms that real programs have, and those that are right."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from flake8_torchloader.linting import lint

PROGRAM = """
import random
import numpy as np
import torch
from torch.utils.data import DataLoader, get_worker_info

SEED = 3

def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)

def init(worker_id):
{body}

def main(args, dataset):
    return DataLoader(dataset, num_workers=args.workers, worker_init_fn=init{more})
"""


def messages(body: str, more: str = "") -> list[str]:
    text = PROGRAM.format(body=indent(dedent(body).strip(), "    "), more=more)
    return [finding.message for finding in lint(text, "train.py", rules={"TLD506"})]


@pytest.mark.parametrize(
    "body",
    [
        "np.random.seed(0)",
        "random.seed(SEED * 10 + 1)",
        "torch.manual_seed(seed=SEED)",
        "set_seed(SEED)",
        "seed = 42\nnp.random.seed(seed)",
        "np.random.seed(int(SEED) if SEED else 1)",
        "np.random.seed([SEED, 5])",
    ],
)
def test_seeds_that_are_the_same_in_all_workers(body: str) -> None:
    (message,) = messages(body)
    assert "all workers alike" in message


@pytest.mark.parametrize(
    "body",
    [
        "np.random.seed(np.random.get_state()[1][0] + worker_id)",
        "np.random.seed(int(np.random.get_state()[1][0]) + worker_id)",
        "state = np.random.get_state()\nnp.random.seed(state[1][0] + worker_id)",
        "position = np.random.get_state()[2]\nset_seed(position + worker_id)",
    ],
)
def test_seeds_that_are_the_same_in_all_epochs(body: str) -> None:
    (message,) = messages(body)
    assert "each epoch alike" in message
    assert messages(body, more=", persistent_workers=True") == []


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "np.random.seed()",
        "np.random.seed(None)",
        "np.random.seed(SEED + worker_id)",
        "set_seed(worker_id)",
        "np.random.seed(torch.initial_seed() % 2**32)",
        "np.random.seed(get_worker_info().seed % 2**32)",
        "info = get_worker_info()\nset_seed(info.seed)",
        "np.random.seed(np.random.get_state()[1][1])",
        "np.random.seed(unknown(SEED))",
        "np.random.seed(0)\nnp.random.seed(torch.initial_seed() % 2**32)",
        "np.random.seed(torch.initial_seed() % 2**32)\nnp.random.seed(np.random.get_state()[1][0] + worker_id)",
        "rng = np.random.default_rng(0)",
        "global SEED\nSEED = torch.initial_seed()\nset_seed(SEED)",
    ],
)
def test_seeds_that_are_left_alone(body: str) -> None:
    assert messages(body) == []


def test_a_function_for_the_loaders_of_other_files() -> None:
    seed = "np.random.seed(np.random.get_state()[1][0] + worker_id)"
    text = f"import numpy as np\n\ndef worker_init_fn(worker_id):\n    {seed}\n"
    assert [finding.code for finding in lint(text, "utils.py")] == ["TLD506"]


@pytest.mark.parametrize("name", ["init", "worker_initialised_with(a, b)"])
def test_a_function_of_another_name_or_shape_is_nobodys(name: str) -> None:
    head = name if "(" in name else f"{name}(worker_id)"
    text = f"import numpy as np\nworker_init_fn = 1\n\ndef {head}:\n    np.random.seed(0)\n"
    assert lint(text, "utils.py") == []
