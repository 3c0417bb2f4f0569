"""Which files a path means: what git ignores, what the user excludes, and what is nobody's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.files import files_of
from flake8_torchloader.problem import Problem


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str, text: str = "") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def meant(*paths: str, config: Config = Config()) -> list[str]:
    return [str(found) for found in files_of(map(Path, paths), config)]


def git(*arguments: str, folder: Path | str = ".") -> str:
    command = ["git", "-C", str(folder), "-c", "core.excludesFile=", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_folder_means_programs_and_notebooks() -> None:
    write("a.py", "b.ipynb", "c.pyi", "d.txt", "sub/e.py", ".ipynb_checkpoints/b.ipynb", "node_modules/x.py")

    assert meant(".") == ["a.py", "b.ipynb", "sub/e.py"]


def test_each_file_is_given_once_by_the_name_that_it_is_met_by_first(folder: Path) -> None:
    write("a.py", "sub/b.py", "sub/c.py")

    assert meant("a.py", str(folder / "a.py"), "./a.py", "sub/../a.py") == ["a.py"]
    c, a = str(folder / "sub/c.py"), str(folder / "a.py")
    assert meant(c, "sub", str(folder)) == [c, "sub/b.py", a]
    assert meant("absent.py", str(folder / "absent.py")) == ["absent.py"]


def test_what_macos_lays_beside_a_program_is_passed_over_unless_it_is_named() -> None:
    write("a.py", "._a.py", "sub/._b.ipynb", "_c.py", ".d.py")

    assert meant(".") == [".d.py", "_c.py", "a.py"]
    assert meant("._a.py", "a.py") == ["._a.py", "a.py"]


def test_what_git_ignores_is_passed_over_but_not_what_is_named() -> None:
    git("init", "-q")
    write(".gitignore", text="data/\n*.gen.py\n/top.py\n")
    write("top.py", "sub/top.py", "a.gen.py", "data/x.py", "sub/data/y.py", "sub/z.py")

    assert meant(".") == ["sub/top.py", "sub/z.py"]
    assert meant("a.gen.py", "data") == ["a.gen.py", "data/x.py"]
    assert len(meant(".", config=Config(respect_gitignore=False))) == 6


def test_a_gitignore_above_counts_up_to_the_top_of_the_repository() -> None:
    write(".gitignore", text="*.py\n")
    write("repo/.gitignore", text="made/\n")
    write("repo/pkg/a.py", "repo/pkg/made/b.py")

    assert meant("repo/pkg") == ["repo/pkg/a.py", "repo/pkg/made/b.py"]
    assert meant("repo") == ["repo/pkg/a.py"]
    git("init", "-q", folder="repo")
    assert meant("repo/pkg") == ["repo/pkg/a.py"]
    git("init", "-q")
    assert meant("repo/pkg") == ["repo/pkg/a.py"]


def test_what_is_no_pattern_does_not_spoil_the_others() -> None:
    write(".gitignore", text="!\nb.py\n\\\n")
    Path(".gitignore").write_bytes(b"!\n\xff\xfe\nb.py\r\n")
    write("a.py", "b.py")

    assert meant(".") == ["a.py"]


def test_only_line_feeds_end_a_pattern() -> None:
    Path(".gitignore").write_bytes(b"a[\r].py\nb.py\r\n")
    write("].py", "b.py")

    assert meant(".") == ["].py"]


NAMES = ["a.py", "b.py", "build.py", "d/a.py", "d/b.py", "d/e/a.py", "d/e/c d.py", "e/a.py", "e/d/a.py"]
LINES = [
    "a.py", "/a.py", "d/", "d", "/d/", "d/*", "d/**", "**/a.py", "e/d", "*.py", "!a.py", "!/a.py", "!d/", "!d/a.py",
    "d/**/a.py", "b*", "[ab].py", "[!a].py", "# a.py", "", "  ", "c d.py", "c\\ d.py", "e/", "!e/d/a.py", "?.py",
    "\\!a.py", "*", "*/", "!*/", "**/", "!**/", "/*", "!/d", "d/*/", "!d/*", "**/d/**", "!d/**", "a.py/", "d/e/**",
    "*.p*",
]  # fmt: skip


@given(outer=st.lists(st.sampled_from(LINES), max_size=4), inner=st.lists(st.sampled_from(LINES), max_size=3))
def test_git_ignores_the_same(tmp_path_factory: pytest.TempPathFactory, outer: list[str], inner: list[str]) -> None:
    home = tmp_path_factory.mktemp("repo")
    os.chdir(home)
    git("init", "-q")
    write(*NAMES)
    write(".gitignore", text="\n".join(outer))
    write("d/.gitignore", text="\n".join(inner))
    seen = git("ls-files", "-z", "--others", "--exclude-standard").split("\0")

    assert sorted(meant(".")) == sorted(name for name in seen if name.endswith(".py"))


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["gen"], ["a.py", "pkg/a.py"]),
        (["gen/"], ["a.py", "pkg/a.py"]),
        (["a.py"], ["pkg/gen/b.py"]),
        (["/a.py"], ["pkg/a.py", "pkg/gen/b.py"]),
        (["pkg/*.py"], ["a.py", "pkg/gen/b.py"]),
        (["pkg/"], ["a.py"]),
        (["*.py", "!b.py"], ["pkg/gen/b.py"]),
    ],
    ids=str,
)
def test_what_is_excluded_is_passed_over_whoever_lists_it(patterns: list[str], left: list[str]) -> None:
    write("a.py", "pkg/a.py", "pkg/gen/b.py")

    for config in (Config(exclude=tuple(patterns)), Config(exclude=("x",), extend_exclude=tuple(patterns))):
        assert meant(".", config=config) == left
        assert meant("a.py", "pkg/a.py", "pkg/gen/b.py", config=config) == left
        assert meant(str(Path.cwd() / "pkg"), config=config) == [str(Path.cwd() / n) for n in left if n != "a.py"]


def test_patterns_are_relative_to_the_root(folder: Path) -> None:
    write("in/a.py", "in/sub/a.py", "sub/a.py")

    assert meant("in", config=Config(exclude=("/sub/",), root=folder / "in")) == ["in/a.py"]
    assert meant("sub", config=Config(exclude=("/sub/",), root=folder / "in")) == ["sub/a.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_a_problem() -> None:
    write("shut/a.py", "b.py")
    Path("shut").chmod(0)
    found = list(files_of([Path()], Config()))
    Path("shut").chmod(0o700)

    assert found == [Path("b.py"), Problem(Path("shut"), "Permission denied")]
