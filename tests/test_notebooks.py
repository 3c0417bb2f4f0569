"""Notebooks: what is a program in them, where it stands, and what is true where workers can't import the cells."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.command import cli, proving
from flake8_torchloader.finding import Finding
from flake8_torchloader.linted import Linted
from flake8_torchloader.location import Place, place_of
from flake8_torchloader.notebooks import read_notebook
from flake8_torchloader.problem import Problem
from flake8_torchloader.rules import all_rules
from flake8_torchloader.sources import Linter

IMPORTS = "import torch\nfrom torch.utils.data import DataLoader, Dataset"
DATASET = """\
class Squares(Dataset):
    def __init__(self):
        self.transform = lambda x: x * x

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return self.transform(index)"""
LOOP = "loader = DataLoader(range(8), num_workers=2)\nfor batch in loader:\n    print(batch)"
LOADER = "DataLoader(Squares(), num_workers=2)"
LAMBDAS = Config(select=("TLD000", "TLD201"))
MODEL = "net = torch.nn.Linear(3, 3).cuda()"


def notebook(*sources: str | list[str], language: str = "python", kinds: str = "") -> str:
    cells = [
        {"cell_type": "markdown" if kinds[number : number + 1] == "m" else "code", "source": source}
        for number, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"language": language, "name": "x"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def lint(text: str, config: Config = Config()) -> Linted:
    linted = Linter(config).text(text, Path("nb.ipynb"))
    assert isinstance(linted, Linted)
    return linted


def told(linted: Linted) -> list[tuple[str, int | None, int]]:
    places = ((one, linted.place(one.span.line)) for one in linted.findings)
    return [(one.code, place.cell, place.line) for one, place in places]


def test_what_is_found_stands_in_its_cell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text(notebook("# Title", IMPORTS, DATASET, LOOP, kinds="m"), encoding="utf-8")

    assert cli.main([str(tmp_path), "--select=TLD201", "--output-format=concise"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path}/nb.ipynb:cell 3:3:26: TLD201 lambda in self.transform of Squares")


def test_the_same_lines_of_a_script_are_run_again_by_workers_and_those_of_a_notebook_are_not() -> None:
    at_import = {"TLD101", "TLD102", "TLD103", "TLD602"}
    script = Linter(Config()).text("\n".join([IMPORTS, LOOP, MODEL]), Path("nb.py"))
    assert isinstance(script, Linted)

    assert {one.code for one in script.findings} & at_import
    assert not {one.code for one in lint(notebook(IMPORTS, LOOP, MODEL)).findings} & at_import


@pytest.mark.parametrize("guard", ["", 'if __name__ == "__main__":\n    '], ids=["bare", "guarded"])
def test_workers_find_nothing_that_a_cell_defines(guard: str) -> None:
    plain = DATASET.replace("lambda x: x * x", "abs")
    config = Config(select=("TLD104",))

    (found,) = lint(notebook(IMPORTS, plain, guard + LOADER), config).findings
    assert found.message.startswith("Squares is defined in the notebook only: workers can't find it under spawn")
    assert found.message.endswith("; define it in a module")
    forked = LOADER.replace("=2)", "=2, multiprocessing_context='fork')")
    assert lint(notebook(IMPORTS, plain, guard + forked), config).findings == ()
    assert lint(notebook(f"{IMPORTS}\nfrom data import Squares", guard + LOADER), config).findings == ()


def test_a_start_method_may_be_set_in_a_cell() -> None:
    cell = "import multiprocessing\nmultiprocessing.set_start_method('spawn')"

    assert lint(notebook(IMPORTS, cell, LOOP), Config(select=("TLD105",))).findings == ()


def test_what_to_write_instead_is_true_in_a_notebook() -> None:
    (found,) = lint(notebook(IMPORTS, DATASET, LOADER), LAMBDAS).findings

    assert found.message.endswith("use a def of an imported module")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_words_for_notebooks_say_nothing_of_module_level(rule: type) -> None:
    said = getattr(rule, "message_in_notebook")

    assert "module level" not in said
    assert "__main__" not in said


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline", "!pip install torch", "%%time", "%%capture out", "%time x = 1", "files = !ls -l",
        "a, b = %magic x", "DataLoader?", "DataLoader.__init__??", "?DataLoader", "!ls \\\n  -l \\\n  *.py\nx = 1",
        "if True:\n    !ls\n    %cd ..", "%%bash\nfor x in *; do echo $x; done", "%%html\n<b>no python</b>",
        "\n\n%%writefile x.py\nnot python at all", "%load_ext autoreload\n%autoreload 2",
        "!python train.py --name='it''s", "%timeit -n 3 f(x)", "await f()", "return",
        "pip install torch -q  # needed", "cd ..\nls -l *.py",
    ],
)  # fmt: skip
def test_what_only_ipython_understands_does_nothing_and_moves_nothing(cell: str) -> None:
    assert told(lint(notebook(IMPORTS, cell, DATASET, LOADER), LAMBDAS)) == [("TLD201", 3, 3)]


@pytest.mark.parametrize(
    "cell", ["x = 5 \\\n  % 3", "ls = [1]\nls .append(2)", 'x = """\n%matplotlib\n!ls\n"""', "x = (5\n% 3)"]
)
def test_what_is_python_is_left_as_it_is(cell: str) -> None:
    assert read_notebook(notebook(cell)).text == f"{cell}\n"


def test_the_rest_of_a_cell_that_is_timed_is_read() -> None:
    assert told(lint(notebook(IMPORTS, f"%%time\n{DATASET}", LOADER), LAMBDAS)) == [("TLD201", 2, 4)]


def test_a_cell_of_nothing_but_commands_is_read_in_no_time() -> None:
    text = read_notebook(notebook("\n".join(["!ls", "x = 1", "%magic", "y = !ls"] * 500))).text

    assert text.split("\n")[-5:] == ["pass", "x = 1", "pass", "y = !ls", ""]
    assert read_notebook(notebook("\n".join(["!ls"] * 59))).text == "pass\n" * 59


def test_a_cell_that_is_no_python_is_told_by_its_number() -> None:
    linted = lint(notebook(IMPORTS, DATASET, "for x in\n"))

    assert told(linted) == [("TLD000", 3, 1)]


def test_sources_are_lists_of_lines_or_one_string() -> None:
    assert read_notebook(notebook(["a = 1\n", "b = 2"], "c = 3")).text == "a = 1\nb = 2\nc = 3\n"


def test_notebooks_of_other_languages_are_nobodys_business() -> None:
    assert lint(notebook("library(torch) # DataLoader workers", language="R")).findings == ()


@pytest.mark.parametrize("text", ["", "x = 1", "[]", "{}", '{"worksheets": []}', '{"cells": 3}', "[" * 100_000])
def test_what_is_no_notebook_is_a_problem(text: str) -> None:
    problem = Linter(Config()).text(text, Path("nb.ipynb"))

    assert isinstance(problem, Problem)
    assert problem.reason.startswith("is no notebook")


def test_comments_silence_lines_of_cells() -> None:
    dataset = DATASET.replace("x * x", "x * x  # noqa: TLD201")
    config = Config(select=("TLD101", "TLD201"), report_unused_noqa=True)
    linted = lint(notebook(IMPORTS, dataset, f"{LOADER}  # noqa: TLD101"), config)

    assert linted.findings == ()
    assert [(linted.place(one.span.line), one.code) for one in linted.unused] == [(Place(1, 3), "TLD101")]


def test_a_notebook_is_not_verified(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "IS_POSSIBLE_HERE", True)
    (tmp_path / "nb.ipynb").write_text(notebook(IMPORTS, DATASET, LOADER), encoding="utf-8")

    assert cli.main([str(tmp_path), "--verify", "--select=TLD201", "--output-format=concise"]) == 1
    assert "    UNKNOWN: it stands in a notebook, and those are not run" in capsys.readouterr().out.splitlines()


LINES = [
    "x = 1", "%magic", "!ls \\", "  !ls", "", "if x:", "    y = 2", "y = %m", "f(", ")", '"""', "a?", "%%time",
    "%%bash", "% 2", "\\",
]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(LINES), max_size=6), max_size=4))
def test_every_line_keeps_its_place(cells: list[list[str]]) -> None:
    read = read_notebook(notebook(*("\n".join(cell) for cell in cells)))
    lines = read.text.split("\n")[:-1]

    assert len(lines) == sum(max(len(cell), 1) for cell in cells)
    for line in range(1, len(lines) + 1):
        place = place_of(line, read.cells)
        assert place.cell is not None
        source = (cells[place.cell - 1] or [""])[place.line - 1]
        assert lines[line - 1] in (source, "", f"{source[: len(source) - len(source.lstrip())]}pass", "y = None")


@given(st.lists(st.sampled_from(["%magic", "!ls", "x = 1", "x?", "y = !ls", "if 1:\n    !ls"]), max_size=6))
def test_commands_of_all_kinds_leave_a_program(lines: list[str]) -> None:
    ast.parse(read_notebook(notebook("\n".join(lines))).text)


def test_finding_positions_are_those_of_the_cell() -> None:
    linted = lint(notebook(IMPORTS, "x = 1", DATASET, LOADER), LAMBDAS)
    found: Finding = linted.findings[0]

    assert (linted.place(found.span.line), found.span.column) == (Place(3, 3), 25)
    assert linted.lines[found.span.line].strip() == "self.transform = lambda x: x * x"
