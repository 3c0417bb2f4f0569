"""What is shown on a terminal only, and what goes through pipes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""
COLOUR = "\x1b[1;31m"
SAID_OF_COLOURS = {"NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"}
PLAIN = {name: value for name, value in os.environ.items() if name not in SAID_OF_COLOURS}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user with a program, as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(LAMBDA, encoding="utf-8")
    return tmp_path


def torchloader(*arguments: str, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flake8_torchloader", *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=120, env={**PLAIN, **environment}
    )


def on_terminal(*arguments: str, **environment: str) -> str:
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "flake8_torchloader", *arguments]
    subprocess.run(command, stdout=end, timeout=120, env={**PLAIN, "TERM": "xterm", **environment})
    os.close(end)
    return os.read(terminal, 1 << 16).decode()


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [
        ({}, True), ({"TERM": "xterm-256color", "NO_COLOR": ""}, True), ({"COLORTERM": "truecolor"}, True),
        ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_a_terminal_gets_colours_if_it_shows_them(environment: dict[str, str], is_coloured: bool) -> None:
    pytest.importorskip("rich")
    shown = on_terminal("train.py", **environment)

    assert (COLOUR in shown) is is_coloured
    assert "TLD201" in shown


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
    ids=str,
)
def test_a_pipe_gets_colours_if_they_are_forced(environment: dict[str, str], is_coloured: bool) -> None:
    pytest.importorskip("rich")

    assert (COLOUR in torchloader("train.py", TERM="xterm", **environment).stdout) is is_coloured


def test_without_rich_there_are_no_colours(folder: Path) -> None:
    (folder / "without").mkdir()
    (folder / "without" / "rich.py").write_text("raise ImportError", encoding="utf-8")
    path = os.pathsep.join(["without", os.environ.get("PYTHONPATH", "")])
    shown = on_terminal("train.py", PYTHONPATH=path)

    assert "\x1b" not in shown
    assert "^^^^" in shown


def test_other_formats_have_no_colours() -> None:
    assert "\x1b" not in torchloader("train.py", "--output-format=concise", FORCE_COLOR="1").stdout


def test_nothing_is_drawn_into_a_pipe_so_nothing_is_imported_for_it() -> None:
    program = "import sys; from flake8_torchloader.command.cli import main; main(['train.py']); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, env=PLAIN)

    assert "rich" not in ended.stdout.splitlines()[-1].split()


def test_standard_input_is_read_by_the_name_that_it_is_given(folder: Path) -> None:
    ended = torchloader("-", "--output-format=concise", "--stdin-filename=sub/new.py", given=LAMBDA)

    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("sub/new.py:4:46: TLD201")
    assert torchloader("-", "--output-format=concise", given=LAMBDA).stdout.startswith("stdin:4:46: TLD201")


def test_standard_input_obeys_what_is_said_of_its_file(folder: Path) -> None:
    config = "[tool.torchloader]\nexclude = ['gen/']\n[tool.torchloader.per-file-ignores]\n'old.py' = ['TLD2']\n"
    (folder / "pyproject.toml").write_text(config, encoding="utf-8")

    for name in ("gen/x.py", "old.py"):
        ended = torchloader("-", "--output-format=concise", f"--stdin-filename={name}", given=LAMBDA)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_notebook_may_come_by_standard_input() -> None:
    ended = torchloader("-", "--stdin-filename=nb.ipynb", given="{}")

    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("torchloader: nb.ipynb: is no notebook")


def test_idle_comments_are_told_and_count(folder: Path) -> None:
    (folder / "train.py").write_text("x = 1  # noqa: TLD201\n", encoding="utf-8")
    ended = torchloader("train.py", "--report-unused-noqa", "--quiet")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "torchloader: train.py:1:16: unused noqa: TLD201 silences nothing here\n"
    assert torchloader("train.py", "--report-unused-noqa", "--exit-zero").returncode == 0
    assert torchloader("train.py").returncode == 0
