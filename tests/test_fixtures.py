"""The programs under fixtures/: what is found in them is what their marks say, no more and no less.

A mark stands on the line it speaks of: `# expect: TLD201`, with a column counted from 1 as in
`# expect: TLD201@19`, or with several codes. `# missed: TLD201 why` admits a hazard that is not seen.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from flake8_torchloader.finding import Finding
from flake8_torchloader.linting import lint
from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules, default_codes

FIXTURES = Path(__file__).parent.parent / "fixtures"
FILES = sorted(FIXTURES.rglob("*.py"))
EXPECT = re.compile(r"#\s*expect:\s*(TLD\d{3}(?:@\d+)?(?:\s*,\s*TLD\d{3}(?:@\d+)?)*)\s*(?:#|$)")
MISSED = re.compile(r"#\s*missed:\s*(TLD\d{3})\s+\S")
MARK = re.compile(r"#\s*(expect|missed)\b")
LONGEST_MESSAGE = 160
FEWEST_PROGRAMS = 6


@dataclass(frozen=True, order=True)
class Mark:
    """One finding that a program expects; `column` counts from 1, or is 0 where it is left open."""

    line: int
    code: str
    column: int


def read(path: Path) -> str:
    with tokenize.open(path) as file:
        return file.read()


def code_of(path: Path) -> str:
    """The rule whose folder a program lies in."""
    return path.relative_to(FIXTURES).parts[0]


@cache
def findings(path: Path) -> list[Finding]:
    """What is found by all rules that are on by default, and by that of the program's own folder."""
    return lint(read(path), str(path), rules=default_codes() | {code_of(path)})


def marks(text: str) -> Iterator[Mark]:
    for number, line in enumerate(text.split("\n"), start=1):
        if match := EXPECT.search(line):
            for mark in match[1].split(","):
                code, _, column = mark.strip().partition("@")
                yield Mark(number, code, int(column or 0))


def missed_codes(path: Path) -> set[str]:
    return {match[1] for match in MISSED.finditer(read(path))}


def identifier(path: Path) -> str:
    return str(path.relative_to(FIXTURES))


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_findings_are_the_marked_ones(path: Path) -> None:
    expected = sorted(marks(read(path)))
    found = sorted(
        Mark(finding.span.line, finding.code, finding.span.column + 1) for finding in findings(path)
    )

    assert [(mark.line, mark.code) for mark in found] == [(mark.line, mark.code) for mark in expected]
    assert {mark for mark in expected if mark.column} <= set(found)


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_marks_are_well_formed(path: Path) -> None:
    for line in read(path).split("\n"):
        if MARK.search(line):
            assert EXPECT.search(line) or MISSED.search(line), line


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("bad_")], ids=identifier)
def test_bad_programs_show_the_hazard_of_their_folder(path: Path) -> None:
    assert code_of(path) in {mark.code for mark in marks(read(path))} | missed_codes(path)


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("good_")], ids=identifier)
def test_good_programs_are_silent(path: Path) -> None:
    assert findings(path) == []


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_messages_are_short(path: Path) -> None:
    assert [f.message for f in findings(path) if len(f.message) > LONGEST_MESSAGE] == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_programs(rule: type[Rule]) -> None:
    folder = FIXTURES / rule.code

    assert len(list(folder.glob("bad_*.py"))) >= FEWEST_PROGRAMS
    assert len(list(folder.glob("good_*.py"))) >= FEWEST_PROGRAMS
    assert list(folder.glob("good_lookalike_*.py"))


def test_every_folder_belongs_to_a_rule() -> None:
    assert {code_of(path) for path in FILES} == {rule.code for rule in all_rules()}
