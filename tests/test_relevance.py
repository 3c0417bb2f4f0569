"""Which files are given to libcst at all: the second gate, on Python's own tree."""

from __future__ import annotations

import ast

import pytest

from flake8_torchloader.reading.relevance import Interest, interest_in
from flake8_torchloader.reading.tree.syntax import walked

LOADER = "from torch.utils.data import DataLoader\n"
DATASET = "class Pairs(torch.utils.data.Dataset):\n    def __getitem__(self, index): return index\n"


def interest(text: str) -> Interest:
    return interest_in(walked(ast.parse(text)), text)


@pytest.mark.parametrize(
    "text",
    [
        LOADER + "loader = DataLoader(range(9), num_workers=2)",
        LOADER + "make = partial(DataLoader, num_workers=2)",
        LOADER + "class Loader(DataLoader):\n    workers = 2",
        LOADER + "loaders = {'train': DataLoader}  # with workers",
        "from torch.utils.data import DataLoader as Feeder\nfeeder = Feeder(range(9), num_workers=2)",
        "import torch.utils.data as data\nmake = partial(data.DataLoader, num_workers=2)",
        "from torch_things import train_loader\nfor batch in train_loader: print(batch)",
        "import torch\nfrom setup import run  # workers\nfor batch in run.train_loader: print(batch)",
        "import torch  # workers\ndef go(run):\n    for batch in run.loader: print(batch)\ngo(1)",
        "import torch  # workers\ntry:\n    go = Trainer()\n    go.loader\nexcept OSError:\n    raise",
        "import torch\ntorch.multiprocessing.set_start_method('spawn')",
        "import torch\ndef worker_init_fn(number): pass",
        "import torch\n" + DATASET + "loader = torch.utils.data.DataLoader(Pairs())",
    ],
)
def test_what_makes_or_uses_loaders_is_read(text: str) -> None:
    assert interest(text) is Interest.ALL


@pytest.mark.parametrize(
    "text",
    [
        LOADER + "def go(loader: DataLoader, workers: int) -> DataLoader: return loader",
        LOADER + "def is_busy(loader, workers): return isinstance(loader, (DataLoader, list))",
        "import torch\nclass Trainer:\n    def go(self):\n        for batch in self.loader: print('workers', batch)",
        "import torch, logging  # workers\nlog = logging.getLogger()\ndef go(run): return run.loader",
        "import torch  # workers\nspec = find_spec('x')\nspec.loader.exec_module(1)",
        "import torch  # workers\nfrom yaml import SafeLoader\nload(SafeLoader)",
        LOADER + "loader = DataLoader(range(9))",
    ],
)
def test_what_only_speaks_of_loaders_is_not_read(text: str) -> None:
    assert interest(text) is Interest.NOTHING


def test_a_dataset_is_of_interest_by_itself_though_its_text_speaks_of_loaders() -> None:
    assert interest("import torch\n" + DATASET + "# for a loader with workers") is Interest.DATASETS


def test_a_long_chain_of_branches_is_looked_through() -> None:
    branches = "if a == 0: pass\n" + "".join(f"elif a == {number}: pass\n" for number in range(1, 900))
    text = f"import torch  # workers\na = len('')\n{branches}def go(run): return run.loader\n"
    assert interest(text) is Interest.ALL
    assert interest(text.replace("a = len('')\n", "a = 0\n")) is Interest.NOTHING
