"""What the linter says that torch rejects is what the installed torch rejects: loaders are written, read and built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from running_room import needs_torch

from flake8_torchloader.construction import Argument, Construction
from flake8_torchloader.families.rejections import FIXED, FIXED_SAID, REJECTIONS, Rejection, rejections
from flake8_torchloader.linting import lint
from flake8_torchloader.module import Basis, Value

pytestmark = needs_torch

PROGRAM = """\
import multiprocessing

from torch.utils.data import DataLoader, Dataset, IterableDataset, SequentialSampler


class Stream(IterableDataset):
    def __iter__(self):
        return iter([1, 2])


class Endless(Dataset):
    def __getitem__(self, index):
        return index


loader = DataLoader({dataset}{arguments})
"""
SETTINGS = {
    "batch_size": ("None", "0", "1", "2", "2.5", "True", "'4'"),
    "shuffle": ("True", "False"),
    "sampler": ("None", "SequentialSampler(range(2))"),
    "batch_sampler": ("None", "[[0]]"),
    "num_workers": ("-1", "0", "1", "None", "'2'", "1.5", "0.0"),
    "drop_last": ("True", "1", "None"),
    "timeout": ("-1", "0", "5"),
    "multiprocessing_context": ("None", "'fork'", "'vfork'", "multiprocessing.get_context('fork')"),
    "prefetch_factor": ("None", "-1", "0", "3"),
    "persistent_workers": ("True", "False"),
}
DATASETS = ("range(2)", "Stream()", "Endless()")
SHUFFLED = ("shuffle", "True")


@dataclass(frozen=True)
class Case:
    """A loader, by its dataset and its arguments as they are written."""

    dataset: str
    arguments: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The program that builds it."""
        given = "".join(f", {name}={value}" for name, value in self.arguments)
        return PROGRAM.format(dataset=self.dataset, arguments=given)


def cases(dataset: str) -> Iterator[Case]:
    """Every setting with every other; a dataset without a length can do nothing but be shuffled in vain."""
    singles = [(name, value) for name, values in SETTINGS.items() for value in values]
    pairs = [(one, two) for one, two in combinations(singles, 2) if one[0] != two[0]]
    for chosen in [*((one,) for one in singles), *pairs]:
        if dataset != "Endless()" or SHUFFLED in chosen:
            yield Case(dataset, tuple(chosen))


@cache
def torch_says(case: Case) -> str:
    """What torch raises when the loader is built and iterated, as the name of the error and its text; "" if nothing."""
    names: dict[str, Any] = {}
    try:
        exec(case.text, names)
        iter(names["loader"])
    except (ValueError, TypeError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@cache
def message(case: Case) -> str:
    """What the linter says, if anything."""
    found = lint(case.text, "loader.py", rules={"TLD701"})
    return found[0].message if found else ""


def linter_says(case: Case) -> str:
    """The error that the linter speaks of."""
    return message(case).partition(" raises ")[2].partition(";")[0]


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.filterwarnings("ignore")
def test_the_linter_speaks_exactly_where_torch_does(dataset: str) -> None:
    said = {case: (linter_says(case), torch_says(case)) for case in cases(dataset)}
    differing = {case: pair for case, pair in said.items() if pair[0] != pair[1].partition(":")[0]}

    assert differing == {}
    assert len({pair[0] for pair in said.values()}) > 1


@pytest.mark.parametrize("rejection", REJECTIONS, ids=lambda rejection: rejection.what)
@pytest.mark.filterwarnings("ignore")
def test_torch_has_the_words_of_each_rejection(rejection: Rejection) -> None:
    """For each there is a loader of which it is what torch complains about, in those words."""
    wanted = f"{rejection.error}: {rejection.said}"
    fitting = [case for dataset in DATASETS for case in cases(dataset) if f" has {rejection.what}: " in message(case)]

    assert any(torch_says(case).startswith(wanted) for case in fitting)


@pytest.mark.parametrize("name", FIXED)
def test_what_is_set_later_is_refused_by_torch(name: str) -> None:
    program = f"{PROGRAM.format(dataset='range(2)', arguments='')}loader.{name} = None\n"
    names: dict[str, Any] = {}

    with pytest.raises(ValueError, match=f"{name} {FIXED_SAID}"):
        exec(program, names)
    assert [finding.span.line for finding in lint(program, "loader.py", rules={"TLD701"})] == [17]


def test_what_rests_on_an_unseen_configuration_is_left_alone() -> None:
    zero = Value((0,), complete=True, basis=Basis.FALLBACK)
    given = {"num_workers": Argument(zero), "persistent_workers": Argument(Value((True,), complete=True))}

    assert list(rejections(Construction(None, "loader", given))) == []
