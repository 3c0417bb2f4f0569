"""Files that break tools: whatever one holds, both doors get through, and say of it what can be said."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGINNING = "from torch.utils.data import DataLoader\n"
LOADER = "\nloader = DataLoader(range(8), num_workers=2)\nfor batch in loader:\n    pass\n"
SECONDS = 600
"""For all files together: what these files are for hangs for hours."""

BEYOND = {
    "patterns": "match x:\n    case " + "(" * 40 + "y" + ")" * 40 + ":\n        pass",
    "pattern_lists": "match x:\n    case " + "[" * 40 + "y" + "]" * 40 + ":\n        pass",
    "pattern_over_lines": "match x:\n    case " + "(\n" * 40 + "y" + ")" * 40 + ":\n        pass",
    "pattern_classes": "match x:\n    case " + "A(b=" * 40 + "y" + ")" * 40 + ":\n        pass",
    "second_pattern": "match x:\n    case 1: f(1)\n    case " + "[(" * 9 + "y" + ")]" * 9 + ": pass",
    "deleted_tuples": "del " + "(" * 60 + "x" + ",)" * 60,
    "conditions": "x = " + " and ".join(["y"] * 30_000),
    "conditions_in_conditions": "x = " + f"({' or '.join('y' * 60)} or " * 60 + "y" + ")" * 60,
    "dotted_import": "import " + ".".join("a" * 9_000),
    "dotted_from": "from " + ".".join("a" * 9_000) + " import b",
    "sum": "x = " + " + ".join("y" * 2_000),
    "powers": "x = " + "2 ** " * 900 + "1",
    "nots": "x = " + "not " * 900 + "y",
    "calls": "x = " + "f(" * 99 + ")" * 99,
    "subscripts": "x = y" + "[0]" * 2_000,
    "strings": "x = (" + "'a' " * 20_000 + ")",
}
"""Statements that Python can parse, after a file that is otherwise clear; libcst hangs, dies or gives up on them."""

TOO_DEEP_FOR_FLAKE8 = {"sum", "powers", "nots", "subscripts"}
"""Those of which flake8 dies without us: pyflakes runs out of stack."""

WITHIN = {
    "parentheses": "x = " + "(" * 150 + "1" + ")" * 150,
    "patterns_some": "match x:\n    case [(1, 2), {3: A(b=(4 | 5))}] if f(g(h(i(j(k(l(m(8)))))))):\n        pass",
    "comparison": "x = " + " < ".join("y" * 5_000),
    "targets": "x = " * 5_000 + "1",
    "statements": "x = 1; " * 5_000,
    "flat": "x = [" + "1, " * 20_000 + "]",
    "one_name_again_and_again": "for y in z:\n" + "    x = f(x)\n" * 2_000,
    "branches_again_and_again": "for y in z:\n" + "    if y: x = f(x)\n" * 1_000,
    "blank_lines": "\n" * 50_000,
    "comments": "# a comment\n" * 20_000,
    "form_feeds": "\x0c\nx = 1\n\x0c\ndef f():\n    pass\n\x0c",
    "continued": "x = 1\n\\\ny = 2\n@\\\nf\ndef g(): pass",
    "semicolons_after_lines": "x = (1,\n2); y = (3,\n4); z = 5",
    "names": "变量 = ℌ = 'é𝒳' # ß",
    "odd_comments": "def f():\n    pass\n  # between\n# and\n        # again",
    "tabs_and_blanks": "if x:\n\ty = 1\n\tif y:\n\t        z = 2",
    "nulls": "x = '\\0'",
}
"""Statements with which the loader after them is still found."""

ENCODED = {
    "utf8_mark": codecs.BOM_UTF8 + (BEGINNING + LOADER).encode(),
    "mark_and_cookie": codecs.BOM_UTF8 + ("# coding: utf-8\n" + BEGINNING + LOADER).encode(),
    "latin": ("# coding: latin-1\nx = 'é'\n" + BEGINNING + LOADER).encode("latin-1"),
    "cyrillic": ("# -*- coding: koi8-r -*-\nx = 'я'\n" + BEGINNING + LOADER).encode("koi8-r"),
    "japanese": ("# coding: shift_jis\nx = 'ア'\n" + BEGINNING + LOADER).encode("shift_jis"),
    "windows": (BEGINNING + LOADER).replace("\n", "\r\n").encode(),
    "old_macintosh": (BEGINNING + LOADER).replace("\n", "\r").encode(),
    "mixed_ends": (BEGINNING + "x = 1\r\ny = 2\r" + LOADER).encode(),
    "no_end": (BEGINNING + LOADER).rstrip().encode(),
}
"""Contents of files in which the loader is found."""

SPOILT = {
    "empty": b"",
    "wrong_bytes": BEGINNING.encode() + b"x = '\xff'" + LOADER.encode(),
    "unknown_cookie": b"# coding: klingon\n" + (BEGINNING + LOADER).encode(),
    "null": BEGINNING.encode() + b"\0" + LOADER.encode(),
    "wide": (BEGINNING + LOADER).encode("utf-16"),
    "python2": (BEGINNING + "print 'x'\nexec 'y' in z\n" + LOADER).encode(),
    "from_the_future": (BEGINNING + "x = 1 |> f ?? 2\n" + LOADER).encode(),
    "half": (BEGINNING + "x = (" + LOADER).encode(),
    "random": bytes(range(256)) * 40,
    "deep_for_python": (BEGINNING + "x = " + "(" * 5_000 + ")" * 5_000 + LOADER).encode(),
    "deep_blocks": (BEGINNING + "".join(" " * n + "if x:\n" for n in range(150)) + LOADER).encode(),
}
"""Contents of files about which it is enough to get through them."""


def write(folder: Path) -> None:
    for texts in (BEYOND, WITHIN):
        for name, statement in texts.items():
            (folder / f"{name}.py").write_bytes((BEGINNING + statement + LOADER).encode())
    for contents in (ENCODED, SPOILT):
        for name, content in contents.items():
            (folder / f"{name}.py").write_bytes(content)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "itself.py").symlink_to(folder / "itself.py")
    (folder / "nowhere.py").symlink_to(folder / "nothing")
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], capture_output=True, encoding="utf-8", errors="replace", timeout=SECONDS
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path) -> dict[str, str]:
    """What the command says of each file, by the name of the file."""
    found = run("-m", "flake8_torchloader", "--isolated", folder)

    assert "Traceback" not in found.stderr
    assert "stumbled" not in found.stderr
    return by_file(found.stdout + found.stderr, folder)


def by_file(output: str, folder: Path) -> dict[str, str]:
    said: dict[str, str] = {}
    for line in output.splitlines():
        if str(folder) in line:
            name = line.partition(f"{folder}/")[2].partition(".py")[0]
            said[name] = said.get(name, "") + line
    return said


@pytest.mark.parametrize("name", BEYOND)
def test_what_goes_beyond_the_parser_is_said_to_be_unread(ours: dict[str, str], name: str) -> None:
    assert "TLD000" in ours[name]
    assert "Error" not in ours[name]


@pytest.mark.parametrize("name", [*WITHIN, *ENCODED])
def test_what_is_only_odd_hides_nothing(ours: dict[str, str], name: str) -> None:
    assert "TLD101" in ours[name]


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_no_program_is_got_through(ours: dict[str, str], name: str) -> None:
    assert "TLD101" not in ours.get(name, "")


def test_flake8_gets_through_whatever_it_gets_through_without_us(folder: Path) -> None:
    """Files that Python itself can't read are left out: of those flake8 tells in its own way."""
    beyond = BEYOND.keys() - TOO_DEEP_FOR_FLAKE8
    files = [folder / f"{name}.py" for name in (*beyond, *WITHIN, *ENCODED)]
    found = run("-m", "flake8", "--isolated", "--jobs=1", "--select=TLD", *files)

    assert found.stderr == ""
    assert found.returncode == 1
    said = by_file(found.stdout, folder)
    assert {name for name, line in said.items() if "TLD000" in line} == beyond
    assert {name for name, line in said.items() if "TLD101" in line} == {*WITHIN, *ENCODED}
