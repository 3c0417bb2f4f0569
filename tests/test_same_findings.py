"""flake8, the command, standard input and the Python interface find the same in the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from flake8_torchloader import Finding, Linted, lint, lint_paths

FIXTURES = Path(__file__).parent.parent / "fixtures"
FILES = [path for path in sorted(FIXTURES.rglob("*.py")) if "TLD000" not in path.parts][::3]
BY_STDIN = [path for path in FILES if path.parent.parent == FIXTURES][::25]
"""Programs of one file: of what comes by standard input no other files are read."""

Found = tuple[str, int, int, str, str]


def run(*arguments: str, given: str | None = None) -> str:
    command = [sys.executable, "-m", *arguments]
    ended = subprocess.run(command, cwd=FIXTURES, input=given, capture_output=True, text=True, timeout=300)
    assert ended.stderr == ""
    return ended.stdout


def printed(lines: str) -> set[Found]:
    found = set()
    for line in lines.splitlines():
        path, row, column, rest = line.split(":", 3)
        code, _, message = rest.strip().partition(" ")
        found.add((path.removeprefix("./"), int(row), int(column), code, message))
    return found


def given(path: Path, findings: Iterable[Finding]) -> set[Found]:
    name = str(path.relative_to(FIXTURES))
    return {(name, one.span.line, one.span.column + 1, one.code, one.message) for one in findings}


def test_all_doors_find_the_same() -> None:
    names = [str(path.relative_to(FIXTURES)) for path in FILES]
    by_flake8 = printed(run("flake8", "--isolated", "--select=TLD", *names))
    by_command = printed(run("flake8_torchloader", "--isolated", "--output-format=concise", *names))
    linted = [one for one in lint_paths(FILES) if isinstance(one, Linted)]

    assert len(by_flake8) > len(FILES) / 3
    assert by_command == by_flake8
    assert set().union(*(given(one.path, one.findings) for one in linted)) == by_flake8
    assert set().union(*(given(path, lint(path.read_text("utf-8"), path)) for path in FILES)) == by_flake8


def test_json_holds_what_is_printed() -> None:
    printed_lines = printed(run("flake8_torchloader", "--isolated", "--output-format=concise", "TLD201"))
    document = json.loads(run("flake8_torchloader", "--isolated", "--output-format=json", "TLD201"))

    assert printed_lines == {
        (one["path"], one["line"], one["column"] + 1, one["code"], one["message"]) for one in document["findings"]
    }


def test_standard_input_is_as_good_as_a_file() -> None:
    for path in BY_STDIN:
        name, text = str(path.relative_to(FIXTURES)), path.read_text("utf-8")
        flake8 = run("flake8", "--isolated", "--select=TLD", f"--stdin-display-name={name}", "-", given=text)
        options = ("--isolated", "--output-format=concise", f"--stdin-filename={name}", "-")
        assert printed(run("flake8_torchloader", *options, given=text)) == printed(flake8)
        assert printed(flake8) == given(path, lint(text, path))
