"""Baselines: what is known stays silent, what is new does not, what is gone is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flake8_torchloader.baseline import BadBaseline, read_baseline
from flake8_torchloader.command import cli

HEAD = "from torch.utils.data import DataLoader\n\n"
LAMBDA = "make = lambda: DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """The status, the places that something was found at, and what was said on stderr."""
    status = cli.main(["--output-format=concise", *arguments])
    out, err = capsys.readouterr()
    return status, [" ".join(line.split()[:2]) for line in out.splitlines()], err


def test_what_is_known_stays_silent_when_lines_move(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.py", HEAD + LAMBDA)
    assert run(capsys, "--write-baseline=known.json") == (
        0, [], "torchloader: known.json: 1 known from now on\n"
    )  # fmt: skip
    assert run(capsys, "--baseline=known.json") == (0, [], "")
    cli.main(["--baseline=known.json"])
    assert capsys.readouterr().out == "nothing new in 1 file (1 known)\n"
    write("a.py", HEAD + "\n\nif True:\n    " + LAMBDA.replace("range(8), ", "range(8),   "))
    assert run(capsys, "--baseline=known.json") == (0, [], "")


def test_what_is_new_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.py", HEAD + LAMBDA)
    run(capsys, "--write-baseline=known.json")
    write("a.py", HEAD + LAMBDA * 2)
    write("b.py", HEAD + LAMBDA)

    assert run(capsys, "--baseline=known.json") == (1, ["a.py:4:48: TLD201", "b.py:3:48: TLD201"], "")


def test_what_is_gone_is_told_and_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.py", "b.py", "c.py"):
        write(name, HEAD + LAMBDA)
    run(capsys, "--write-baseline=known.json")
    write("a.py", HEAD)
    Path("b.py").unlink()

    status, found, said = run(capsys, "--baseline=known.json")
    assert (status, found) == (0, [])
    assert said.startswith("torchloader: known.json: 2 stale, such as a.py: TLD201 at 'make = lambda: Data")
    assert "known.json: 1 stale, such as b.py" in run(capsys, "--baseline=known.json", "c.py")[2]
    assert run(capsys, "--baseline=known.json", "--select=TLD1") == (0, [], "")
    assert run(capsys, "--baseline=known.json", "--quiet") == (0, [], "")


def test_paths_are_relative_to_the_baseline(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    write("pyproject.toml", "[tool.torchloader]\nbaseline = 'ci/known.json'\n")
    write("src/a.py", HEAD + LAMBDA)
    Path("ci").mkdir()
    run(capsys, "--write-baseline=ci/known.json")
    monkeypatch.chdir("src")

    assert json.loads((folder / "ci/known.json").read_text("utf-8"))["findings"][0]["path"] == "../src/a.py"
    assert run(capsys) == (0, [], "")
    assert run(capsys, str(folder)) == (0, [], "")


def test_a_baseline_is_the_same_for_the_same_findings(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b.py", "a.py"):
        write(name, HEAD + LAMBDA * 2)
    run(capsys, "--write-baseline=one.json", "b.py", "a.py")
    run(capsys, "--write-baseline=two.json")

    assert Path("one.json").read_text("utf-8") == Path("two.json").read_text("utf-8")
    assert [(one["path"], one["count"]) for one in json.loads(Path("one.json").read_text("utf-8"))["findings"]] == [
        ("a.py", 2),
        ("b.py", 2),
    ]


def test_a_baseline_is_no_way_to_hide_what_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = run(capsys, "--write-baseline=known.json", "absent.py")

    assert status == 2
    assert "absent.py" in said


UNCOUNTED = '{"path": "a.py", "code": "TLD201", "text": "x", "count": "x"}'


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"schema": "x", "schema_version": 1, "findings": []}',
        '{"schema": "flake8-torchloader/baseline", "schema_version": 2, "findings": []}',
        '{"schema": "flake8-torchloader/baseline", "schema_version": 1, "findings": [1]}',
        '{"schema": "flake8-torchloader/baseline", "schema_version": 1, "findings": [{"path": "a"}]}',
        '{"schema": "flake8-torchloader/baseline", "schema_version": 1, "findings": [%s]}' % UNCOUNTED,
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused(text: str) -> None:
    write("known.json", text)

    with pytest.raises(BadBaseline, match=r"known\.json: is no baseline"):
        read_baseline(Path("known.json"))
