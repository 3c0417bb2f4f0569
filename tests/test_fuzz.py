"""A short run of the fuzzer that `benchmarks/` has: made programs of all kinds, and a tree of real ones."""

from __future__ import annotations

import signal
from pathlib import Path

import fuzz
import pytest
from made_programs import FIXTURES

from flake8_torchloader.finding import Finding


def test_no_made_program_is_too_much(capsys: pytest.CaptureFixture[str]) -> None:
    status = fuzz.main(["--minutes=10", "--programs=300", "--seed=5"])

    assert (status, capsys.readouterr().out.partition(" (")[0]) == (0, "300 programs, 0 with a complaint")


def test_the_programs_of_a_tree_are_linted(capsys: pytest.CaptureFixture[str]) -> None:
    folder = FIXTURES / "TLD201"
    status = fuzz.main(["--minutes=10", "--tree", str(folder)])

    assert status == 0
    assert capsys.readouterr().out.startswith(f"{len(list(folder.rglob('*.py')))} programs, 0 with")


def test_errors_hangs_and_deaths_are_told_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(text: str, path: str) -> list[Finding]:
        match text:
            case "error":
                raise ZeroDivisionError("by a program")
            case "hang":
                while True:
                    pass
            case "death":
                signal.raise_signal(signal.SIGKILL)
        return []

    monkeypatch.setattr(fuzz, "lint", stumble)
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    programs = [(text, text) for text in ("fine", "error", "hang", "fine", "death", "fine")]

    assert fuzz.fuzz(programs, float("inf"), tmp_path) == (6, 3)
    assert capsys.readouterr().out.splitlines() == [
        "error: raised ZeroDivisionError: by a program", "hang: took too long", "death: died with -9",
    ]  # fmt: skip
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["death", "error", "hang"]
