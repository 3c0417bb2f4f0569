"""Comments silence here what they silence in flake8, and those that silence nothing can be told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.finding import Finding, Span
from flake8_torchloader.linted import Linted
from flake8_torchloader.noqa import unused
from flake8_torchloader.sources import Linter

PROGRAM = """\
{head}from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2){tail}
    print(next(iter(loader)))
"""
TAILS = [
    "", "  # noqa", "  # NOQA", "  # NoQA", "  #noqa", "  # noqa:", "  # noqa : TLD201", "  # noqa: TLD201",
    "  # noqa:TLD201", "  # noqa:  TLD201", "  # noqa:\tTLD201", "  # noqa: tld201", "  # noqa: TLD", "  # noqa: TLD2",
    "  # noqa: TLD20", "  # noqa: TLD2011", "  # noqa: TLD202", "  # noqa: E501", "  # noqa: E501,TLD201",
    "  # noqa: E501, TLD201", "  # noqa: E501 TLD201", "  # noqa: E501,,TLD201", "  # noqa: E501TLD201",
    "  # noqa: TLD201E501", "  # noqa: TLD201 because", "  # noqa: because TLD201", "  # noqa because", "  # noqa; x",
    "  # noqa - TLD202", "  # noqa:E501,F401 TLD202", "  # type: ignore # noqa: TLD201", "  # noqa: E501 # noqa: TLD201",
    "  # noqa: TLD201, ", "  # noqa: X", "  # noqa: TLD201:", "  # noqa: (TLD201)", "  # see noqa", "  # nonoqa",
    "  # torchloader: noqa", "  # noqa: D1,TLD201", "  # noqa: D1-TLD201", "  # noqa:E501:TLD201", "  # noqa\t: TLD202",
    "  # noqa=TLD202", "  # noqa: TLD2 01", "\n    # noqa", "\n    # noqa: TLD201", '; x = "# noqa: TLD201"',
    '; x = """\n    # noqa: TLD201"""', '; x = """\n    """  # noqa: TLD201', "; x = [  # noqa\n    ]",
    "; x = [\n    ]  # noqa", "; x = \\\n    1  # noqa: TLD201", "  # flake8: noqa", "\n# flake8: noqa", "\n# flake8: noqa: E501",
    "\n  # FLAKE8=NOQA", "\n# flake8: no", "\n#flake8: noqa", '\nx = """\n# flake8: noqa\n"""', "\n\f# noqa",
    "  # noqa: TLD201\f", "  # \u00e9 noqa \u2028 # noqa: TLD201",
]  # fmt: skip
HEADS = ["# noqa\n", "# flake8: noqa\n", "#!/usr/bin/python\n# flake8: noqa\n", "\ufeff# flake8: noqa\n", "x = 1  # flake8: noqa\n"]
FORMS = [("", tail) for tail in TAILS] + [(head, "") for head in HEADS]


def test_each_form_of_a_comment_silences_what_it_silences_in_flake8(tmp_path: Path) -> None:
    for number, (head, tail) in enumerate(FORMS):
        (tmp_path / f"f{number}.py").write_text(PROGRAM.format(head=head, tail=tail), encoding="utf-8")
    command = [sys.executable, "-m", "flake8", "--isolated", "--select=TLD", "--jobs=1", "."]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ended.stderr == ""
    loud = {line.split(":")[0].removeprefix("./") for line in ended.stdout.splitlines()}
    lint = Linter(Config())
    ours = {one.path.name for number in range(len(FORMS)) if is_found(one := lint(tmp_path / f"f{number}.py").said)}

    assert {FORMS[int(name[1:-3])] for name in ours} == {FORMS[int(name[1:-3])] for name in loud}
    assert 10 < len(loud) < len(FORMS) - 10


def is_found(one: object) -> bool:
    assert isinstance(one, Linted)
    return bool(one.findings)


FOUND = Finding(Span(1, 4, 1, 5), "TLD201", "found")
ON = {"TLD201", "TLD301", "TLD302"}


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# noqa", []),
        ("# noqa: E501", []),
        ("# noqa: TLD201", []),
        ("# noqa: TLD2", []),
        ("# noqa: TLD301", ["TLD301"]),
        ("# noqa: TLD201,TLD301", ["TLD301"]),
        ("# noqa: TLD3, E501 ,TLD2", ["TLD3"]),
        ("# noqa: TLD101", []),
        ("# noqa: TLD999", ["TLD999"]),
        ('"# noqa: TLD301"', []),
    ],
)
def test_codes_that_silence_nothing_are_told(comment: str, told: list[str]) -> None:
    assert [one.code for one in unused([FOUND], f"x = 1  {comment}\n", ON)] == told


def test_it_is_told_where_the_code_stands() -> None:
    text = "x = f(  # noqa: TLD201\n    y)  # noqa: E501, TLD201\nz = 1  # noqa: TLD301\n"
    found = [Finding(Span(2, 4, 2, 5), "TLD201", "found")]

    assert [(one.span, one.code) for one in unused(found, text, ON)] == [
        (Span(1, 16, 1, 22), "TLD201"),
        (Span(3, 15, 3, 21), "TLD301"),
    ]


def test_a_file_that_is_silent_throughout_has_no_idle_comments() -> None:
    assert unused([], "# flake8: noqa\nx = 1  # noqa: TLD301\n", ON) == ()
    assert unused([], "x = (  # noqa: TLD301\n", ON) == unused([], "x = 1  # noqa: TLD301\n", ON)
