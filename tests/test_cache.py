"""The cache is of use, harms nobody, and is never an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flake8_torchloader.cache import cache, folder, key
from flake8_torchloader.cache.folder import NAME, Folder
from flake8_torchloader.choosing.config import Config
from flake8_torchloader.command import cli
from flake8_torchloader.disk import Fact, digest
from flake8_torchloader.finding import Elsewhere, Finding, Note, Span
from flake8_torchloader.linted import Learned, Linted
from flake8_torchloader.location import Cell
from flake8_torchloader.noqa import Unused
from flake8_torchloader.start_method import PICKLING_METHODS

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""
CLEAN = "from torch.utils.data import DataLoader\n\nloader = DataLoader([], num_workers=0)\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, as the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(LAMBDA, encoding="utf-8")
    (tmp_path / "clean.py").write_text(CLEAN, encoding="utf-8")
    return tmp_path


def lint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints, of which nothing is an error."""
    assert cli.main(["--output-format=concise", *arguments]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    return out


def kept(home: Path = Path()) -> list[Path]:
    return sorted((home / NAME).glob("found-*.json"))


def test_the_folder_says_what_it_is(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    lint(capsys)

    assert (home / NAME / ".gitignore").read_text("utf-8") == "*\n"
    assert (home / NAME / "CACHEDIR.TAG").read_text("utf-8").startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert len(kept()) == 1


def test_a_folder_of_others_gets_no_gitignore(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    first = lint(capsys, "--cache-dir=.")

    assert sorted(path.name.partition("-")[0] for path in home.iterdir()) == ["clean.py", "found", "found", "train.py"]
    assert lint(capsys, "--cache-dir=.") == first


def test_without_a_cache_nothing_is_written(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert lint(capsys, "--no-cache") == lint(capsys)
    shutil.rmtree(home / NAME)
    lint(capsys, "--no-cache")
    (home / "setup.cfg").write_text("[torchloader]\ncache = no\n", encoding="utf-8")
    lint(capsys)

    assert not (home / NAME).exists()


def test_where_nothing_can_matter_nothing_is_written(home: Path) -> None:
    for name in ("train.py", "clean.py"):
        (home / name).write_text("import torch\n", encoding="utf-8")

    assert cli.main([]) == 0
    assert not (home / NAME).exists()


def test_it_lies_beside_the_config_file_or_where_that_says(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "inner").mkdir()
    shutil.move("train.py", "inner/train.py")
    (home / "tox.ini").write_text("[torchloader]\n", encoding="utf-8")
    lint(capsys, "inner/train.py")
    assert len(kept()) == 1

    (home / "tox.ini").write_text("[torchloader]\ncache-dir = inner/kept\n", encoding="utf-8")
    os.chdir("inner")
    lint(capsys, "train.py")
    assert list((home / "inner" / "kept").glob("found-*.json"))
    assert not (home / "inner" / NAME).exists()


def test_standard_input_is_not_kept(home: Path) -> None:
    command = [sys.executable, "-m", "flake8_torchloader", "-q", "-"]
    assert subprocess.run(command, input=LAMBDA.encode(), capture_output=True, timeout=60).returncode == 1

    assert not (home / NAME).exists()


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def other_byte(content: bytes) -> bytes:
    return content.replace(b"TLD201", b"TLD202")


def sealed(text: str) -> Callable[[bytes], bytes]:
    """What is no cache, and still has the seal of one."""
    return lambda content: f"{digest(text.encode())}\n{text}".encode()


@pytest.mark.parametrize(
    "spoil",
    [
        cut,
        other_byte,
        lambda content: b"",
        lambda content: b"\xff\xfe\x00",
        lambda content: content + b"\n",
        sealed("[]"),
        sealed("nonsense"),
        sealed('{"facts": [], "files": {"a.py": 3}}'),
        sealed('{"facts": [[1]], "files": {}}'),
        sealed("[" * 100_000),
    ],
    ids=["cut", "other", "empty", "binary", "longer", "list", "nonsense", "entry", "fact", "deep"],
)
def test_what_is_spoiled_is_as_good_as_absent(
    capsys: pytest.CaptureFixture[str], spoil: Callable[[bytes], bytes]
) -> None:
    first = lint(capsys)
    (file,) = kept()
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))

    assert lint(capsys) == first
    assert file.read_bytes() == whole


def test_entries_that_make_no_sense_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    first = lint(capsys)
    (file,) = kept()
    text = file.read_text("utf-8").partition("\n")[2].replace('"TLD201"', '"TLD201",7')
    file.write_bytes(sealed(text)(b""))

    assert lint(capsys) == first


def test_a_place_that_cannot_be_written_is_no_error(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lint(capsys)
    assert lint(capsys, "--cache-dir=train.py") == lint(capsys, "--cache-dir=train.py/deeper") == first

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    for name in ("replace", "utime"):
        monkeypatch.setattr(os, name, refuse)
    assert lint(capsys) == lint(capsys, "--cache-dir=other") == first
    assert [path.name for path in (home / "other").iterdir() if "found-" in path.name] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_project_is_no_error(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.chmod(0o500)
    try:
        lint(capsys)
    finally:
        home.chmod(0o700)
    assert not (home / NAME).exists()


def test_an_interruption_while_writing_leaves_nothing_unfinished(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        assert cli.main(["-q"]) == 130
    assert {path.name for path in (home / NAME).iterdir()} <= {".gitignore", "CACHEDIR.TAG"}


def test_what_was_found_before_an_interruption_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(learned: Learned, into: cache.Cache) -> None:
        into.keep(learned)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("flake8_torchloader.sources._kept", interrupt)
        assert cli.main(["-q", "-j1"]) == 130
    (file,) = kept()
    assert str(home / "clean.py") in file.read_text("utf-8")
    assert str(home / "train.py") not in file.read_text("utf-8")


def test_runs_at_the_same_time_do_not_harm_each_other(home: Path) -> None:
    for number in range(8):
        (home / f"more{number}").mkdir()
        (home / f"more{number}" / "train.py").write_text(LAMBDA, encoding="utf-8")
    command = [sys.executable, "-m", "flake8_torchloader", "--isolated", "--output-format=concise", "-q", "-j1"]
    runs = [
        subprocess.Popen([*command, f"more{number % 8}", "train.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in range(12)
    ]
    for number, run in enumerate(runs):
        out, err = run.communicate(timeout=120)
        assert err == b""
        assert [line.split(b":")[0] for line in out.splitlines()] == [b"more%d/train.py" % (number % 8), b"train.py"]

    assert len(list((home / NAME).iterdir())) == 4
    (file,) = kept()
    assert Folder(home / NAME).read(file.name.removeprefix("found-"))
    assert subprocess.run([*command, "."], capture_output=True, timeout=60).stdout.count(b"TLD201") == 9


def test_what_another_run_has_written_meanwhile_stays(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "other.py").write_text(LAMBDA, encoding="utf-8")
    config = Config(cache=True)
    first, second = cache.Cache(config), cache.Cache(config)
    for one, name in ((first, "train.py"), (second, "other.py")):
        assert one.find(Path(name), "1") is None
        one.keep(Learned(Linted(Path(name), ()), "1"))
    first.save()
    second.save()

    third = cache.Cache(config)
    assert third.find(Path("train.py"), "1") == Linted(Path("train.py"), ())
    assert third.find(Path("other.py"), "1") == Linted(Path("other.py"), ())


FULL = Linted(
    Path("a.ipynb"),
    (
        Finding(
            Span(3, 1, 4, 2), "TLD201", "a \u2026 lambda\udc80", (Note(Span(1, 0, 1, 5), "here"),), PICKLING_METHODS,
            (Elsewhere("/p/b.py", 7, "there"),),
        ),
    ),
    {1: "x = 1", 3: "y"},
    (Cell(2, 1), Cell(4, 3)),
    (Unused(Span(9, 1, 9, 7), "TLD9"),),
)  # fmt: skip


def test_all_that_is_said_of_a_file_comes_back() -> None:
    config = Config(cache=True)
    writing = cache.Cache(config)
    writing.keep(Learned(FULL, "1", (Fact("kind", "/nowhere", ""), Fact("kind", os.sep, "folder"))))
    writing.save()
    found = cache.Cache(config).find(Path("a.ipynb"), "1")

    assert found == FULL
    assert found.lines == FULL.lines


def test_what_could_not_be_read_is_tried_again(home: Path) -> None:
    (home / "broken.py").write_text(f"{LAMBDA}(\n", encoding="utf-8")
    (home / "latin.py").write_bytes(b"# torch DataLoader \xe9\n")
    (home / "none.ipynb").write_text("torch DataLoader", encoding="utf-8")
    for _ in range(2):
        assert cli.main(["-q"]) == 2
    (file,) = kept()
    names = file.read_text("utf-8")

    assert [name for name in ("broken.py", "latin.py", "none.ipynb") if name in names] == []
    assert "train.py" in names


def test_what_was_not_used_for_longest_makes_room(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(capsys)
    (file,) = kept()
    monkeypatch.setattr(cache, "MOST_BYTES", file.stat().st_size + 200)
    for number in range(6):
        name = f"new{number}.py"
        (home / name).write_text(LAMBDA, encoding="utf-8")
        lint(capsys, "train.py", name)
        assert file.stat().st_size <= cache.MOST_BYTES + 40
        text = file.read_text("utf-8")
        assert str(home / name) in text
        assert str(home / "new0.py") not in text or number < 4


def test_what_was_found_with_choices_that_nobody_makes_any_more_makes_room(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(capsys)
    (first,) = kept()
    monkeypatch.setattr(folder, "MOST_BYTES", 3 * first.stat().st_size)
    (home / NAME / ".found-x.abandoned").write_text("", encoding="utf-8")
    for age, path in enumerate([first, home / NAME / ".found-x.abandoned"]):
        os.utime(path, (1000 + age, 1000 + age))
    for size in range(1, 8):
        lint(capsys, f"--large-array={size}GiB")

    assert first not in kept()
    assert 1 <= len(kept()) <= 3
    assert not (home / NAME / ".found-x.abandoned").exists()


def test_another_rule_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    (package / "rules").mkdir(parents=True)
    rule = package / "rules" / "rule.py"
    monkeypatch.setattr(key, "_PACKAGE", package)
    seen = set()
    for text in ("1", "2", "1 ", ""):
        rule.write_text(text, encoding="utf-8")
        assert key.key(Config(), Folder(tmp_path / "kept")) == key.key(Config(), Folder(tmp_path / "kept"))
        seen.add(key.key(Config(), Folder(tmp_path / "kept")))
        os.utime(rule, (1000, 1000))
        assert key.key(Config(), Folder(tmp_path / "kept")) in seen
    rule.rename(package / "rules" / "other.py")
    seen.add(key.key(Config(), Folder(tmp_path / "kept")))

    assert len(seen) == 4


def test_another_python_or_libcst_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key.key(Config(), Folder(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version", "3.99")
        assert key.key(Config(), Folder(tmp_path)) != first
    monkeypatch.setattr(key, "_version_of_libcst", lambda: "2")
    assert key.key(Config(), Folder(tmp_path)) != first


def test_nothing_heavy_is_imported_where_all_is_known() -> None:
    program = (
        "import sys\n"
        "from flake8_torchloader.command.cli import main\n"
        "main(['-q'])\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    for _ in ("cold", "warm"):
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    imported = set(ended.stderr.split())
    ours = {name.split(".")[1] for name in imported if name.startswith("flake8_torchloader.")}

    assert "TLD201" in ended.stdout
    assert not imported & {"libcst", "rich", "multiprocessing", "hashlib", "tempfile", "importlib.metadata", "shutil"}
    assert not ours & {"rules", "rule", "module", "reading", "linting", "running", "verdict", "trial", "catalogue"}
