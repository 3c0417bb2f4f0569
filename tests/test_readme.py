"""The README says what the rules, the plugin and the tests really do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_torchloader.catalogue import with_current_table
from flake8_torchloader.linting import lint
from flake8_torchloader.rules import all_rules, default_codes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFRESH = (
    "from pathlib import Path; from flake8_torchloader.catalogue import with_current_table as t; "
    "p = Path('README.md'); p.write_text(t(p.read_text('utf-8')), 'utf-8')"
)


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_table_of_rules_is_current() -> None:
    assert with_current_table(README) == README, f'write it anew: python -c "{REFRESH}"'


def test_a_text_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="rules: begin"):
        with_current_table("# no table here\n")


def test_the_shown_finding_is_what_the_shown_program_gives() -> None:
    program, shown = code_blocks("python")[0], code_blocks("text")[0]
    said = "".join(
        f"train.py:{finding.span.line}:{finding.span.column + 1}: {finding.code} {finding.message}\n"
        for finding in lint(program, "train.py")
    )

    assert said
    assert said == shown


def test_the_test_command_is_the_one_of_continuous_integration() -> None:
    *_, command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()

    assert f"{command}\n" in code_blocks("console")


@pytest.mark.parametrize("path", sorted(re.findall(r"\]\((?!https?:|#)([^)#]+)", README)))
def test_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_bundled_programs_can_be_linted_by_flake8() -> None:
    """The first command of the README: flake8 itself must get through every program, whatever else it checks."""
    every_opt_in = ",".join(rule.code for rule in all_rules() if rule.is_opt_in)

    assert codes_in_fixtures("--select=TLD") == default_codes()
    assert codes_in_fixtures("--select=TLD", f"--extend-select={every_opt_in}") == {rule.code for rule in all_rules()}


def codes_in_fixtures(*options: str) -> set[str]:
    """The codes that flake8 finds in the bundled programs."""
    command = [sys.executable, "-m", "flake8", *options, "--jobs=2", "fixtures/"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == ""
    return set(re.findall(r": (TLD\d{3}) ", ended.stdout))
