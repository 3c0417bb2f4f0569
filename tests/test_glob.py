"""What a pattern matches is what git matches with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flake8_torchloader.choosing.patterns import Patterns, is_pattern

SIGNS = ["a", "b", "-", ".", "*", "?", "[a-c]", "[]a]", "[a-]", "\\!", "\\#", "\\*", "\\[", "\\ ", "!", " "]
"""What a part of a pattern is made of.

pathspec does not read as git does: sets that are negated, have classes or escapes; `a**b`; and `/**/` in the end.
"""

NAMES = ["a", "b", "c", "-", "]", "ab", "a b", "a*", "[", ".a", "#", "!a", "1", "\\", "a ", "z"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("repo")
    subprocess.run(["git", "init", "-q", str(home)], check=True, timeout=60)
    return home


def ignored_by_git(home: Path, pattern: str, paths: list[str]) -> list[str]:
    """Those of some paths, of which none exists, that git ignores for one pattern."""
    (home / ".gitignore").write_text(f"{pattern}\n", encoding="utf-8", newline="")
    command = ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"]
    given = "\0".join(paths).encode()
    out = subprocess.run(command, cwd=home, input=given, capture_output=True, timeout=60).stdout
    return [path for path in out.decode().split("\0") if path]


def covered_by_us(home: Path, pattern: str, paths: list[str]) -> list[str]:
    patterns = Patterns([pattern], str(home))
    return [path for path in paths if patterns.cover(os.path.join(home, path))]


part = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map("".join).filter(lambda text: "**" not in text)
parts = st.lists(part | st.just("**"), min_size=1, max_size=3).map("/".join)
slash = st.sampled_from(("", "/"))
patterns = st.builds("{}{}{}".format, slash, parts, slash).filter(lambda text: not text.endswith("/**/"))
path = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
paths = st.lists(path, min_size=1, max_size=8, unique=True)


@given(patterns, paths)
@example("**/a", ["a", "b/a", "b/c/a", "ba"])
@example("a/**", ["a", "a/b", "a/b/c", "c/a/b"])
@example("a/**/b", ["a/b", "a/c/b", "a/c/c/b", "ab"])
@example("*a", ["a", "ba", "b/ca", "ab"])
@example("b/*a", ["b/a", "b/ca", "b/c/a"])
@example("a\\", ["a", "a\\"])
def test_git_matches_the_same(repository: Path, pattern: str, paths: list[str]) -> None:
    assert covered_by_us(repository, pattern, paths) == ignored_by_git(repository, pattern, paths)


@pytest.mark.parametrize("line", ["!", "/", "!/", "a\\"])
def test_what_matches_nothing_is_no_pattern(line: str) -> None:
    assert not is_pattern(line)


@pytest.mark.parametrize("line", ["", "# a", "a", "!a", "a/", "*", "**", "[!a]", "\\!a", "a\\ "])
def test_what_is_a_pattern(line: str) -> None:
    assert is_pattern(line)
