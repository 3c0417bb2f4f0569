"""Which loaders a stream may be given to, with how many workers: what real projects write, in one file or in two."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_torchloader.linting import lint

STREAM = """
from torch.utils.data import IterableDataset

class Numbers(IterableDataset):
    def __init__(self, items{said}):
        self.items = items

    def __iter__(self):
        for item in {source}:
            yield item
"""
LOADER = """
from torch.utils.data import DataLoader

def main(args, others, cores):
    return DataLoader({dataset}, num_workers={workers})
"""
PLAIN = STREAM.format(said="", source="range(8)")


def codes(text: str, path: Path = Path("stream.py")) -> list[str]:
    return [finding.code for finding in lint(text, str(path), rules={"TLD502"})]


@pytest.mark.parametrize(
    ("workers", "repeats"),
    [
        ("4", True),
        ("args.workers", True),
        ("min(args.workers, 8)", True),
        ("min(args.workers, key=abs)", True),
        ("max(args.workers, 1)", True),
        ("abs(min(args.workers, 1))", True),
        ("2 * int(cores > 1)", True),
        ("2 if cores else 0", True),
        ("0", False),
        ("1", False),
        ("min(args.workers, 1)", False),
        ("int(min(1, args.workers))", False),
        ("1 if cores > 1 else 0", False),
        ("int(cores > 1)", False),
        ("int(not args.debug)", False),
        ("bool(args.workers)", False),
        ("min(args.workers, 1) if cores else 0", False),
    ],
)
def test_one_worker_at_most_repeats_nothing(workers: str, repeats: bool) -> None:
    text = PLAIN + LOADER.format(dataset="Numbers(8)", workers=workers)

    assert codes(text) == (["TLD502"] if repeats else [])


@pytest.mark.parametrize(
    ("said", "is_whole"),
    [
        (": list", True),
        (": list[int]", True),
        (": Optional[Dict[str, List[int]]] = None", True),
        (": Sequence[str] | None = None", True),
        (": 'list'", False),
        (": List[Iterable[int]]", False),
        (": Dict[str, IterableDataset]", False),
        (": list[Any]", False),
        (": Iterable[int]", False),
        (": Optional[Iterable[int]] = None", False),
        (": int", False),
        ("", False),
    ],
)
def test_a_parameter_is_what_it_is_said_to_be(said: str, is_whole: bool) -> None:
    text = STREAM.format(said=said, source="self.items")
    text += LOADER.format(dataset="Numbers(others)", workers="4")

    assert codes(text) == (["TLD502"] if is_whole else [])


@pytest.mark.parametrize(
    ("program", "repeats"),
    [
        (LOADER.format(dataset="Numbers(8)", workers="4"), True),
        (LOADER.format(dataset="others", workers="4") + "    print(Numbers(8))", True),
        (LOADER.format(dataset="make(args)", workers="args.workers") + "    print(Numbers(8))", True),
        (LOADER.format(dataset="others", workers="4"), False),
        (LOADER.format(dataset="Numbers(8)", workers="0"), False),
        (LOADER.format(dataset="Squares(8)", workers="4"), False),
        (LOADER.format(dataset="[1, 2, 3]", workers="4"), False),
        (LOADER.format(dataset="others", workers="4") + "    print(Numbers(8), DataLoader(args.dataset))", False),
        (LOADER.format(dataset="Numbers(8)", workers="4") + "    print(DataLoader(args.dataset))", True),
        (LOADER.format(dataset="others", workers="4") + "    worker_info = Numbers(8)", False),
        ("", False),
    ],
)
def test_a_program_that_imports_a_stream_tells_who_gets_it(tmp_path: Path, program: str, repeats: bool) -> None:
    (tmp_path / "stream.py").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "train.py").write_text("from elsewhere import Squares, make\nfrom stream import Numbers\n" + program)

    assert codes(PLAIN, tmp_path / "stream.py") == (["TLD502"] if repeats else [])


def test_a_program_that_does_not_import_a_stream_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "stream.py").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "train.py").write_text("class Numbers: ...\n" + LOADER.format(dataset="Numbers()", workers="4"))

    assert codes(PLAIN, tmp_path / "stream.py") == []
