"""The shapes in which a program can be large, and makers of programs of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NUMBERS = (10, 50, 200, 500, 1000, 2000)
LINES = (1000, 5000, 10000, 25000, 50000)
DEPTHS = (5, 10, 20, 40, 70)

BEGINNING = """\
import numpy as np
from torch.utils.data import ConcatDataset, DataLoader, Dataset
from torchvision import transforms


class Images(Dataset):
    def __init__(self, paths, transform=None):
        self.paths = paths
        self.transform = transform

    def __getitem__(self, index):
        return self.transform(self.paths[index])


"""
"""What each program begins with."""

ENDING = "\n\nloader = DataLoader(Images([]), num_workers=2)\n"
"""How it ends, so that all between is read in earnest."""

STEP = '''\
def step_#(model, batch, scale=#):
    """Take one step."""
    total = 0.0
    for name, value in batch.items():
        if name.startswith("x") and value > scale:
            total += model.layers[name](value, scale=[1, 2, 3])
        else:
            total -= {"low": 1, "high": 2}.get(name, 0)
    return total


'''
DATASET = """\
class Images#(Dataset):
    def __init__(self, root):
        self.root = root
        self.labels = np.load(root)
        self.transform = transforms.Lambda(lambda image: image / 255)

    def __getitem__(self, index):
        return self.transform(self.labels[index])


"""
LOADER = "loader# = DataLoader(Images([], lambda image: image), batch_size=#, num_workers=4)\n"
LOOP = "for epoch in range(9):\n    for batch in loader#:\n        print(batch)\n"
TRAINING = """\
def train_#(root):
    loader = DataLoader(Images(root), num_workers=2)
    for batch in loader:
        print(batch)


"""
METHOD = """\
    def method_#(self, index):
        self.value_# = self.method_##(index)
        return self.paths[index]

"""
MAKER = "def make(data):\n    return DataLoader(data, num_workers=2)\n\n\n"
CLASS = "class Many(Images):\n"
INIT = "    def __init__(self):\n"


@dataclass(frozen=True)
class Shape:
    """One way for a file to be large: what there is much of, and the maker of a program of a size."""

    name: str
    counted: str
    make: Callable[[int], str]
    sizes: tuple[int, ...] = NUMBERS


def many(text: str, before: str = "", after: str = ENDING) -> Callable[[int], str]:
    """A maker of programs that hold a text many times: `#` is its number, `##` the next, and the last in `after`."""

    def make(size: int) -> str:
        parts = (text.replace("##", str(number + 1)).replace("#", str(number)) for number in range(size))
        return "".join([BEGINNING, before, *parts, after.replace("#", str(size))])

    return make


def nested(text: str) -> Callable[[int], str]:
    """A maker of programs with an expression in which another stands for `@`, in which another stands."""

    def make(size: int) -> str:
        before, after = text.split("@")
        return f"{BEGINNING}value = {before * size}x{after * size}{ENDING}"

    return make


def nested_blocks(size: int) -> str:
    """Tests in tests, and a loader in the innermost."""
    tests = "".join(f"{' ' * depth}if value > {depth}:\n" for depth in range(size))
    return f"{BEGINNING}{tests}{' ' * size}loader = DataLoader(Images([]), num_workers=2)\n"


def lines(size: int) -> str:
    """A file of so many lines, of which one in a hundred or so makes a loader."""
    return many(STEP * 10 + TRAINING)(size // (STEP * 10 + TRAINING).count("\n"))


def called(size: int) -> str:
    """Functions, and one that calls each of them and makes a loader of what they give."""
    helpers = many("def help_#(part):\n    return part\n\n\n", after="def make(part):\n")(size)
    calls = "".join(f"    part = help_{number}(part)\n" for number in range(size))
    return f"{helpers}{calls}    return DataLoader(part, num_workers=2)\n\n\nmake(Images([]))\n"


PRINTED = "    print(batch)\n"

SHAPES = (
    Shape("lines", "lines of code", lines, LINES),
    Shape("imports", "imports", many("from package.module_# import name_#\nimport library_#.part as part_#\n")),
    Shape("loaders", "loaders", many(LOADER)),
    Shape("loops", "loaders, each with a loop over it", many(LOADER + LOOP)),
    Shape("loops-over-one", "loops over one loader", many(LOOP.replace("#", ""), ENDING)),
    Shape("training", "functions, each of which makes a loader and goes through it", many(TRAINING)),
    Shape("branches", "branches, each of which makes a loader", many(
        "if kind == #:\n    loader = DataLoader(Images([#]), num_workers=#)\n", "", "for batch in loader:\n" + PRINTED
    )),
    Shape("datasets", "dataset classes", many(DATASET)),
    Shape("datasets-used", "dataset classes, each with a loader", many(
        DATASET + "loader# = DataLoader(Images#('x'), num_workers=2)\n\n\n"
    )),
    Shape("siblings", "classes that inherit from one", many(
        "class Part#(Images):\n    def load(self):\n        return self.paths\n\n\n"
    )),
    Shape("subclasses", "classes, each of which inherits from the one before", many(
        "class Part##(Part#):\n    pass\n\n\n", "Part0 = Images\n\n\n", "DataLoader(Part#([]), num_workers=2)\n"
    )),
    Shape("methods", "methods of a dataset, each of which calls the next", many(METHOD, CLASS)),
    Shape("attributes", "attributes of a dataset", many("        self.value_# = np.zeros(#)\n", CLASS + INIT)),
    Shape("attribute", "assignments to one attribute", many(
        "        self.value = self.value + [#]\n", CLASS + INIT
    )),
    Shape("called", "functions that one function calls", called),
    Shape("callers", "calls of one function", many("loader_# = make(Images([#]))\n", MAKER)),
    Shape("chain", "functions, each of which calls the next", many(
        "def make_#(data):\n    return make_##(data)\n\n\n", "",
        MAKER.replace("make", "make_#") + "for batch in make_0(Images([])):\n" + PRINTED,
    )),
    Shape("web", "functions, each of which calls three before it", many(
        "def make_##(data):\n    make_#(data)\n    return [make_#(data), make_0(data), make(data)]\n\n\n",
        MAKER + MAKER.replace("make", "make_0"), "for batch in make_#(Images([])):\n" + PRINTED,
    )),
    Shape("list", "elements of a list", many(
        "    lambda x: x + #,\n", "steps = [\n", "]\nDataLoader(Images([], steps), num_workers=2)\n"
    )),
    Shape("dict", "keys of a dict", many(
        "    'key#': Images([#]),\n", "data = {\n", "}\nDataLoader(data['key1'], num_workers=2)\n"
    )),
    Shape("joined", "datasets put together", many(
        "    Images([#]),\n", "data = ConcatDataset([\n", "])\nDataLoader(data, num_workers=2)\n"
    )),
    Shape("appended", "datasets put into a list one by one", many(
        "parts.append(Images([#]))\n", "parts = []\n", "DataLoader(ConcatDataset(parts), num_workers=2)\n"
    )),
    Shape("wrapped", "datasets, each in the one before", many(
        "data = ConcatDataset([data, Images([#])])\n", "data = Images([])\n", "DataLoader(data, num_workers=2)\n"
    )),
    Shape("rebound", "assignments to one name", many(
        "value = value + #\n", "value = 0\n", "DataLoader(value, num_workers=2)\n"
    )),
    Shape("names", "names, each with the value of the one before", many(
        "data_## = data_#\n", "data_0 = Images([])\n", "DataLoader(data_#, num_workers=2)\n"
    )),
    Shape("blocks", "tests in one another", nested_blocks, DEPTHS),
    Shape("calls", "calls in one another", nested("Images(@)"), DEPTHS),
    Shape("lists", "lists in one another", nested("[0, @, 1]"), DEPTHS),
)  # fmt: skip
"""All of them."""
