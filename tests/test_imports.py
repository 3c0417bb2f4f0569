"""Imports are followed into files of the same project, as far as the settings say, and nothing goes wrong there."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path

import pytest

from flake8_torchloader import disk
from flake8_torchloader.linting import lint
from flake8_torchloader.reading.project import other_file
from flake8_torchloader.settings import Settings

Write = Callable[[Mapping[str, str]], Path]

MAIN = """\
import torch.utils.data
from data import make_loader

loader = make_loader(workers=2)
for batch in loader:
    print(batch)
"""
DATA = """\
from torch.utils.data import DataLoader


def make_loader(workers):
    return DataLoader(range(8), num_workers=workers)
"""
BOTH = {"main.py": MAIN.replace("import torch.utils.data", "import torch.utils.data  # DataLoader"), "data.py": DATA}
AT_LOADER = [(4, "TLD101")]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the files of a project; the folder that they lie in."""

    def written(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path

    return written


def found(path: Path, settings: Settings = Settings()) -> list[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    return [(one.span.line, one.code) for one in lint(text, str(path), settings)]


def flake8(folder: Path, *arguments: str, given: str | None = None) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", "--select=TLD", *arguments],
        input=given, capture_output=True, text=True, timeout=120, cwd=folder,
    )  # fmt: skip
    assert run.stderr == ""
    return [" ".join(line.split(" ")[:2]) for line in run.stdout.splitlines()]


def test_what_another_file_makes_is_reported_where_it_is_asked_for(write: Write) -> None:
    folder = write(BOTH)

    assert found(folder / "main.py") == AT_LOADER
    assert found(folder / "data.py") == []


@pytest.mark.parametrize(
    "ways",
    [
        {"import": "import data as d", "call": "d.make_loader(workers=2)"},
        {"import": "import package.inner.data", "call": "package.inner.data.make_loader(workers=2)"},
        {"import": "import package.inner.data as d", "call": "d.make_loader(workers=2)"},
        {"import": "from package.inner import data", "call": "data.make_loader(workers=2)"},
        {"import": "from package import make_loader", "call": "make_loader(workers=2)"},
        {"import": "from package import renamed as again", "call": "again(workers=2)"},
        {"import": "from package import *", "call": "make_loader(workers=2)"},
        {"import": "from namespace.data import make_loader", "call": "make_loader(workers=2)"},
        {"import": "from package.late import make", "call": "make(2)"},
        {"import": "from package.table import MAKERS", "call": "MAKERS['plain'](workers=2)"},
    ],
    ids=lambda ways: ways["import"],
)
def test_ways_to_import(write: Write, ways: Mapping[str, str]) -> None:
    folder = write({
        "main.py": f"import torch.utils.data\n{ways['import']}\n\nloader = {ways['call']}\n"
        "for batch in loader:\n    print(batch)\n\nplain = torch.utils.data.DataLoader([], num_workers=0)\n",
        "data.py": DATA,
        "namespace/data.py": DATA,
        "package/__init__.py": "from .inner import make_loader\nfrom .inner.data import make_loader as renamed\n",
        "package/inner/__init__.py": "from .data import *\n",
        "package/inner/data.py": DATA,
        "package/late.py": "def make(workers):\n    from .inner import data\n"
        "    return data.make_loader(workers)  # a loader\n",
        "package/table.py": "from package import make_loader\nMAKERS = {'plain': make_loader}\n",
    })  # fmt: skip

    assert found(folder / "main.py") == AT_LOADER


def test_relative_imports_and_those_from_the_top_of_the_project(write: Write) -> None:
    loop = "loader = make_loader(workers=2)\nfor batch in loader:\n    print(batch)\n"
    folder = write({
        "pyproject.toml": "",
        "lib/data.py": DATA,
        "package/__init__.py": "",
        "package/data.py": DATA,
        "package/tools/__init__.py": "",
        "package/tools/near.py": f"import torch  # DataLoader, workers\nfrom ..data import make_loader\n\n{loop}",
        "package/tools/far.py": f"import torch  # DataLoader, workers\nfrom package.data import make_loader\n\n{loop}",
        "scripts/deep/run.py": f"import torch  # DataLoader, workers\nfrom lib.data import make_loader\n\n{loop}",
    })  # fmt: skip

    assert found(folder / "package/tools/near.py") == AT_LOADER
    assert found(folder / "package/tools/far.py") == AT_LOADER
    assert found(folder / "scripts/deep/run.py") == AT_LOADER


@pytest.mark.parametrize(
    "files",
    [
        {"data.py": "def make_loader(:\n"},
        {"data.py": "\0"},
        {"data.py": "# coding: nonsense\n"},
        {"data.py": "from data import make_loader\n"},
        {"data.py": "from other import make_loader\n", "other.py": "from data import make_loader\n"},
        {"data.py": "from other import *\n", "other.py": "from data import *\n"},
        {"data.py": "from main import make_loader\n"},
        {"data.py": "make_loader = make_loader\n"},
        {"data.py": "def make_loader(workers):\n    return make_loader(workers)  # a loader\n"},
        {"data.py": f"make_loader = {'(' * 150}0{')' * 150}\n"},
        {"data.py": f"make_loader = {' + '.join(['1'] * 3000)}\n"},
        {"data/__init__.py": ""},
        {"data/make_loader/x.py": ""},
    ],
    ids=lambda files: next(iter(files.values()))[:40].strip() or next(iter(files)),
)
def test_what_leads_nowhere_is_unknown(write: Write, files: Mapping[str, str]) -> None:
    folder = write({"main.py": BOTH["main.py"], **files})

    assert found(folder / "main.py") == []


def test_a_file_that_may_not_be_read_is_unknown(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(BOTH)

    def refuse(path: object, mode: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(disk, "open", refuse, raising=False)
    assert found(folder / "main.py") == []


def test_a_library_is_not_looked_for_in_the_project(write: Write) -> None:
    own = "class DataLoader:\n    def __init__(self, *args, **kwargs):\n        pass\n"
    loop = "loader = DataLoader(range(8), num_workers=2)\nfor batch in loader:\n    print(batch)\n"
    folder = write({
        "torch/__init__.py": "",
        "torch/utils/__init__.py": "",
        "torch/utils/data.py": own,
        "queue.py": own,
        "main.py": f"from torch.utils.data import DataLoader\n\n\n{loop}",
        "site-packages/installed.py": DATA,
        "other.py": "import torch  # DataLoader, workers\nfrom installed import make_loader\n\n"
        "loader = make_loader(workers=2)\nfor batch in loader:\n    print(batch)\n",
    })  # fmt: skip

    assert found(folder / "main.py") == AT_LOADER
    assert found(folder / "other.py") == []


def test_a_loader_class_of_the_project_is_none_of_torch(write: Write) -> None:
    main = "import torch\nfrom data import DataLoader\n\nloader = DataLoader(range(8), num_workers=2)\nlist(loader)\n"
    own = "class DataLoader:\n    def __init__(self, *args, **kwargs):\n        pass\n"
    folder = write({"main.py": main, "data.py": own})

    assert found(folder / "main.py") == []
    (folder / "data.py").write_text("from torch.utils.data import DataLoader as Base\n\n\n"
                                    "class DataLoader(Base):\n    pass\n", encoding="utf-8")  # fmt: skip
    assert found(folder / "main.py") == AT_LOADER


CHAIN = {
    "main.py": BOTH["main.py"],
    "data.py": "from one import make_loader\n",
    "one.py": "from two import make_loader\n",
    "two.py": DATA,
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), AT_LOADER),
        (Settings(follow_depth=3), AT_LOADER),
        (Settings(follow_depth=2), []),
        (Settings(follow_depth=0), []),
        (Settings(follow_files=3), AT_LOADER),
        (Settings(follow_files=2), []),
        (Settings(follow_files=0), []),
    ],
    ids=lambda value: f"{value.follow_depth} {value.follow_files}" if isinstance(value, Settings) else "",
)
def test_beyond_the_bounds_all_is_unknown(write: Write, settings: Settings, expected: list[tuple[int, str]]) -> None:
    assert found(write(CHAIN) / "main.py", settings) == expected


def test_a_file_is_read_once_until_it_changes(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(CHAIN)
    opened: list[str] = []
    original = disk.content

    def noting(path: str) -> bytes | None:
        opened.append(Path(path).name)
        return original(path)

    monkeypatch.setattr(other_file, "content", noting)
    for _ in range(3):
        assert found(folder / "main.py") == AT_LOADER
    assert sorted(opened) == ["data.py", "one.py", "two.py"]

    (folder / "two.py").write_text(DATA.replace("num_workers=workers", "num_workers=0"), encoding="utf-8")
    assert found(folder / "main.py") == []
    assert opened[3:] == ["two.py"]


def test_a_file_that_cannot_matter_opens_no_other(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write({"main.py": "import torch\nfrom data import make_loader\n", "data.py": DATA})
    monkeypatch.setattr(other_file, "content", lambda path: pytest.fail(f"{path} was opened"))

    assert found(folder / "main.py") == []


def test_nothing_is_executed_and_nothing_printed(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    files = {**BOTH, "data.py": f"import sys\nprint('run', '\\d')\nsys.exit(3)\n{DATA}"}

    assert found(write(files) / "main.py") == AT_LOADER
    assert capfd.readouterr() == ("", "")


def test_an_unknown_path_is_read_by_itself(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(BOTH)
    monkeypatch.chdir(folder)

    assert lint(MAIN, "") == lint(MAIN, "absent.py") == lint(MAIN, "absent/main.py") == []


def test_standard_input_is_read_by_itself(write: Write) -> None:
    folder = write(BOTH)

    assert flake8(folder, "main.py") == ["main.py:4:10: TLD101"]
    assert flake8(folder, "--stdin-display-name=main.py", "-", given=BOTH["main.py"]) == []


PROJECT = {
    "train.py": BOTH["main.py"],
    "test.py": BOTH["main.py"],
    "data.py": "from torch.utils.data import Dataset\nfrom pipeline import build\n\n\n"
    "class Samples(Dataset):\n    def __init__(self):\n        self.one = lambda x: x\n"
    "        self.two = build()  # transform\n"
    f"\n\n{DATA}",
    "pipeline.py": "def build():\n    return [lambda x: x]\n",
    "eval.py": "from torch.utils.data import DataLoader\nfrom data import Samples\n\n\n"
    "def run():\n    return DataLoader(Samples(), num_workers=2)\n",
}
FOUND = ["data.py:7:20: TLD201", "data.py:8:20: TLD201", "test.py:4:10: TLD101", "train.py:4:10: TLD101"]


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_each_finding_is_told_once_whatever_the_jobs(write: Write, jobs: str) -> None:
    folder = write(PROJECT)

    assert sorted(place.removeprefix("./") for place in flake8(folder, f"--jobs={jobs}", ".")) == FOUND


def test_the_order_of_files_changes_nothing(write: Write) -> None:
    folder = write(PROJECT)
    expected = {name: found(folder / name) for name in PROJECT}

    assert sum(map(len, expected.values())) == len(FOUND)
    for number, order in enumerate(permutations(PROJECT)):
        if number % 12 == 0:
            other_file._KEPT.clear()
            assert {name: found(folder / name) for name in order} == expected


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_to_a_folder_above_ends(write: Write) -> None:
    folder = write(BOTH)
    (folder / "package").symlink_to(folder)
    (folder / "data.py").write_text("from package.package.data import make_loader\n", encoding="utf-8")

    assert found(folder / "main.py") == []
