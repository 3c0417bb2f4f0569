"""What the command imports where all files are known or can't matter, which is most of what such a run costs."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_torchloader import __main__
from flake8_torchloader.command import cli

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""
COSTLY = {
    "ast", "asyncio", "concurrent", "configparser", "dataclasses", "difflib", "hashlib", "importlib.metadata",
    "inspect", "libcst", "logging", "multiprocessing", "pathspec", "rich", "shutil", "subprocess", "tempfile",
    "tokenize", "tomli", "tomllib",
    *(f"flake8_torchloader.{name}" for name in ("linting", "module", "noqa", "reading", "rules", "verdict")),
}  # fmt: skip
"""Modules that a run does without if nothing has to be linted."""

PROGRAM = """\
import sys
from flake8_torchloader.__main__ import main
status = main()
sys.stderr.write(" ".join(sys.modules))
raise SystemExit(status)
"""


def run(folder: Path) -> tuple[int, set[str]]:
    """The status of the command in a folder, and what it has imported."""
    command = [sys.executable, "-c", PROGRAM, "--isolated"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return ended.returncode, set(ended.stderr.split())


def imported_before(folder: Path) -> set[str]:
    """What the interpreter itself has imported, here."""
    command = [sys.executable, "-c", "import sys; print(*sys.modules)"]
    return set(subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60).stdout.split())


@pytest.mark.parametrize(
    ("text", "status"),
    [("import torch\n", 0), ("import torch  # DataLoader\n", 0), (LAMBDA, 1)],
    ids=["cannot matter", "clean", "found"],
)
def test_where_nothing_has_to_be_linted_nothing_costly_is_imported(tmp_path: Path, text: str, status: int) -> None:
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    first, second = run(tmp_path), run(tmp_path)

    assert (first[0], second[0]) == (status, status)
    assert "flake8_torchloader.command.cli" in second[1]
    assert second[1] & COSTLY <= imported_before(tmp_path)


def test_garbage_is_looked_for_again_once_all_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "main", lambda: 7 if gc.isenabled() and gc.get_freeze_count() else 0)

    assert __main__.main() == 7
    gc.unfreeze()
