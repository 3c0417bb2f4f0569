"""The pages under docs/: they can be built, their programs are clean, and each rule has one."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from flake8_torchloader.catalogue import markdown
from flake8_torchloader.command.command_line import read_order
from flake8_torchloader.linting import lint
from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md"]
COMMAND = re.compile(r"^(?:\s*(?:\$|- run:|-) )?\s*(torchloader .*)$|`(torchloader [^`\n]*)`", re.MULTILINE)
PLACEHOLDERS = {"PATH...": "train.py", "[PATH...]": ".", "[PATHS]": ".", "$FilePath$": "train.py"}
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


def commands(path: Path) -> list[str]:
    """What a text shows of the command, but for what only names it."""
    found = [line or word for line, word in COMMAND.findall(path.read_text(encoding="utf-8"))]
    return [command for command in found if not command.startswith("torchloader --verify PATH... [--")]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_commands_of_the_pages_are_understood(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in commands(path):
        _, *argv = (PLACEHOLDERS.get(word, word) for word in shlex.split(command))
        if "--python" in argv:
            argv[argv.index("--python") + 1] = sys.executable
        try:
            read_order(argv)
        except SystemExit as left:
            assert left.code == 0, command


def test_commands_are_found_in_the_pages() -> None:
    assert sum(len(commands(path)) for path in TEXTS) >= 15


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
