"""The programs under fixtures/: what is found in them is what their marks say, no more and no less.

A mark stands on the line it speaks of: `# expect: TLD201`, with a column counted from 1 as in
`# expect: TLD201@19`, or with several codes. `# missed: TLD201 why` admits a hazard that is not seen.

A program of several files is a folder: each file is linted as one of that project, and `main.py` is what is run.
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
ENTRY = "main.py"


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


def is_bad(path: Path) -> bool:
    """Whether a program, or the one of which the file is a part, shows the hazard of its folder."""
    return case_of(path).name.startswith("bad_")


def case_of(path: Path) -> Path:
    """The program that a file belongs to: the file itself, or the folder of a program of several files."""
    return FIXTURES.joinpath(*path.relative_to(FIXTURES).parts[:2])


def parts(path: Path) -> list[Path]:
    """The files of the program that a file belongs to."""
    return sorted(case_of(path).rglob("*.py")) if case_of(path).is_dir() else [path]


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


PROGRAMS = [path for path in FILES if parts(path) == [path] or path.name == ENTRY]
"""What can be run: programs of one file, and the entries of the others."""


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


@pytest.mark.parametrize("path", [path for path in PROGRAMS if is_bad(path)], ids=identifier)
def test_bad_programs_show_the_hazard_of_their_folder(path: Path) -> None:
    shown = {mark.code for part in parts(path) for mark in marks(read(part))}

    assert code_of(path) in shown.union(*map(missed_codes, parts(path)))


@pytest.mark.parametrize("path", [path for path in FILES if not is_bad(path)], ids=identifier)
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


def test_every_program_of_several_files_has_an_entry() -> None:
    cases = {case_of(path): parts(path) for path in FILES if case_of(path).is_dir()}

    assert cases
    assert [case for case, files in cases.items() if sum(file.name == ENTRY for file in files) != 1] == []


def test_every_folder_belongs_to_a_rule() -> None:
    assert {code_of(path) for path in FILES} == {rule.code for rule in all_rules()}
