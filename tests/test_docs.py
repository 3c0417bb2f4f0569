"""The pages under docs/: they can be built, their programs are clean, and each rule has one."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from flake8_torchloader.catalogue import markdown
from flake8_torchloader.linting import lint
from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(find_spec("material") is None, reason="mkdocs-material is not installed")
def test_the_site_can_be_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    for rule in all_rules():
        page = (tmp_path / "site" / "rules" / rule.code / "index.html").read_text(encoding="utf-8")
        assert f"{rule.code}: {rule.name}" in page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_programs_of_the_pages_are_clean(path: Path) -> None:
    programs = PROGRAM.findall(path.read_text(encoding="utf-8"))

    assert [finding for program in programs for finding in lint(program, path.name)] == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_page_shows_both_programs_and_how_to_silence_it(rule: type[Rule]) -> None:
    text = markdown(rule)
    example, instead = PROGRAM.findall(text)

    assert {finding.code for finding in lint(example, "example.py", rules={rule.code})} == {rule.code}
    assert lint(instead, "instead.py", rules={rule.code}) == []
    assert f"# noqa: {rule.code}`" in text


@pytest.mark.skipif(find_spec("pre_commit") is None, reason="pre-commit is not installed")
def test_the_manifest_of_hooks_is_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout
