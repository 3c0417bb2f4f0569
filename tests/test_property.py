"""Whatever the text, the linter answers: it never raises, and what it says is well formed."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flake8_torchloader.linting import lint
from flake8_torchloader.rules import all_rules

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").rglob("*.py"))
CODES = {rule.code for rule in all_rules()}
pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")
TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
BEGINNING = "from torch.utils.data import DataLoader, Dataset\n"
LOADER = "\nDataLoader(Dataset(), num_workers=2, collate_fn=lambda batch: batch)\n"


def read(path: Path) -> str:
    with tokenize.open(path) as file:
        return file.read()


def check(text: str, *, deep: bool = False) -> None:
    """Lint a text alone and, where it is a program, with the tree that flake8 would hand over.

    Errors of ours are turned into a TLD000 before they leave the linter: to see them, it is looked
    at what a TLD000 says.
    """
    found = lint(text, "program.py", rules=CODES)
    last_line = text.count("\n") + 1
    for finding in found:
        assert finding.code in CODES
        assert 1 <= finding.span.line <= last_line
        assert finding.span.column >= 0
        assert 0 < len(finding.message) <= 160
        assert "\n" not in finding.message
        assert "while reading it" not in finding.message
        assert deep or "nested too deeply" not in finding.message
    if "TLD000" in {finding.code for finding in found}:
        assert len(found) == 1
    if tree := parsed(text):
        assert lint(text, "program.py", rules=CODES, tree=tree) == found


def parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


programs = st.sampled_from([path for path in FIXTURES if path.parent.name != "TLD000"]).map(read)


@st.composite
def programs_with_lines_moved(draw: st.DrawFn) -> str:
    """A fixture of which some lines are cut out, swapped, or taken from another fixture."""
    lines = draw(programs).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 4))):
        first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(st.sampled_from(["cut", "swap", "graft"])):
            case "cut" if len(lines) > 1:
                del lines[first]
            case "swap":
                lines[first], lines[second] = lines[second], lines[first]
            case _:
                lines.insert(first, draw(st.sampled_from(draw(programs).splitlines(keepends=True))))
    return "".join(lines)


@st.composite
def programs_with_tokens_moved(draw: st.DrawFn) -> str:
    """A fixture of which some tokens are replaced by tokens of its own, or left out."""
    tokens = TOKEN.findall(draw(programs))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(tokens) - 1))
        tokens[place] = draw(st.one_of(st.just(""), st.sampled_from(tokens)))
    return "".join(tokens)


@given(programs_with_lines_moved())
def test_moved_lines(text: str) -> None:
    check(text)


@given(programs_with_tokens_moved())
def test_moved_tokens(text: str) -> None:
    check(text)


@given(st.text())
@example("\x00")
@example("\ufeff" + BEGINNING + LOADER)
@example(BEGINNING.replace("\n", "\r\n") + LOADER)
@example(BEGINNING + "\x0c" + LOADER)
@example(BEGINNING.rstrip() + "; s = 'é' * 2" + LOADER.rstrip())
def test_any_text(text: str) -> None:
    check(text)
    check(BEGINNING + text + LOADER)


def test_half_a_character_is_said_to_be_unreadable() -> None:
    assert [finding.code for finding in lint(f"{BEGINNING}'\ud800'{LOADER}", "program.py")] == ["TLD000"]


@settings(max_examples=15)
@given(hypothesmith.from_grammar())
def test_any_program_around_a_loader(program: str) -> None:
    check(BEGINNING + program + LOADER)


@pytest.mark.parametrize(
    "expression",
    [
        " + ".join(["1"] * 3000),
        " and ".join(["x"] * 3000),
        " and ".join(["x"] * 900),
        "x" + ".y" * 900,
        "f(" * 90 + ")" * 90,
        "[" * 90 + "]" * 90,
        "lambda: " * 90 + "0",
    ],
    ids=["sum", "and", "some_and", "attributes", "calls", "lists", "lambdas"],
)
def test_deep_expressions(expression: str) -> None:
    check(f"{BEGINNING}value = {expression}\nDataLoader(value, num_workers={expression})\n", deep=True)


def test_long_chains_of_branches() -> None:
    branches = "".join(f"elif x == {number}:\n    loader = None\n" for number in range(500))

    check(f"{BEGINNING}x = 1\nif x:\n    pass\n{branches}else:\n    {LOADER.strip()}\n", deep=True)
