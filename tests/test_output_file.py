"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_torchloader.command import cli
from flake8_torchloader.output_file import write_whole


def test_a_file_is_as_it_was_until_all_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "out.json"
    file.write_text("before", encoding="utf-8")

    def break_off(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", break_off)
    with pytest.raises(KeyboardInterrupt):
        write_whole(file, "after")

    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert file.read_text("utf-8") == "before"


def test_a_new_file_has_the_rights_that_others_have_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    plain, new, old = (tmp_path / name for name in ("plain", "new", "old"))
    plain.write_text("", encoding="utf-8")
    old.write_text("", encoding="utf-8")
    old.chmod(0o640)
    write_whole(new, "a")
    write_whole(old, "b")

    assert new.stat().st_mode == plain.stat().st_mode
    assert old.stat().st_mode & 0o777 == 0o640
    assert (new.read_text("utf-8"), old.read_text("utf-8")) == ("a", "b")


def test_a_link_still_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", "a")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text("utf-8") == "a"


def test_what_is_no_plain_file_is_written_to(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), "a")
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    program = "from flake8_torchloader.command.cli import main; main(['--output-file', '/dev/stdout', '.'])"
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert ended.stdout == "nothing found in 1 file\n"


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    for option in ("--output-file", "--json", "--write-baseline"):
        assert cli.main(["--quiet", option, "out.txt"]) == 2
        assert capsys.readouterr().err == "torchloader: can't write out.txt: Permission denied\n"


def test_results_go_to_the_file_and_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(
        "from torch.utils.data import DataLoader\nf = lambda: DataLoader([], collate_fn=lambda b: b, num_workers=1)\n",
        encoding="utf-8",
    )

    assert cli.main(["--output-format=github", "-o", "out.txt", "--statistics"]) == 1
    out, err = capsys.readouterr()
    assert (tmp_path / "out.txt").read_text("utf-8").startswith("::error ")
    assert (out, err) == ("", "1     TLD201 lambda-sent-to-worker\n")
    assert cli.main(["--output-format=concise", "--statistics", "--quiet"]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == ["1     TLD201 lambda-sent-to-worker"]
