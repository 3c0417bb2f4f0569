"""Files that break tools: whatever one holds, both doors get through, and say of it what can be said."""

from __future__ import annotations

import codecs
import encodings
import os
import pkgutil
import subprocess
import sys
import threading
from itertools import cycle
from pathlib import Path

import pytest
from made_programs import OTHER_TIMES

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.linted import Linted
from flake8_torchloader.linting import lint
from flake8_torchloader.problem import Problem
from flake8_torchloader.sources import Linter, lint_paths

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

TIMES = {f"time_{n}": (BEGINNING + text + LOADER).encode() for n, text in enumerate(OTHER_TIMES)}
"""Contents of files that only older, or only newer Pythons can read."""

NAMED = {name for _, name, _ in pkgutil.iter_modules(encodings.__path__)} - {"aliases", "mbcs", "oem", "undefined"}
"""The encodings of Python, but for those of Windows alone, and the one that is none."""

IMPORTED = "pipe gone loop endless memory folder wide null deep cookie half".split()
"""Files that are imported by one that is linted, and can't be read for its sake."""

IMPORTER = f"""\
import cv2
import importer
from torch.utils.data import DataLoader, Dataset
{"".join(f"from {name} import {name}" + chr(10) for name in IMPORTED)}

class Images(Dataset):
    def __init__(self):
        self.parts = [{", ".join(f"{name}()" for name in IMPORTED)}]

    def __getitem__(self, index):
        return cv2.GaussianBlur(self.parts[index])


loader = DataLoader(Images(), num_workers=2, collate_fn=half)
for batch in loader:
    pass
"""


def write(folder: Path) -> None:
    for texts in (BEYOND, WITHIN):
        for name, statement in texts.items():
            (folder / f"{name}.py").write_bytes((BEGINNING + statement + LOADER).encode())
    for contents in (ENCODED, SPOILT, TIMES):
        for name, content in contents.items():
            (folder / f"{name}.py").write_bytes(content)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "itself.py").symlink_to(folder / "itself.py")
    (folder / "nowhere.py").symlink_to(folder / "nothing")
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    (folder / "unreadable.py").symlink_to("/proc/self/mem")


def write_project(folder: Path) -> None:
    """A program, and beside it what it imports."""
    (folder / "pyproject.toml").touch()
    (folder / "importer.py").write_text(IMPORTER, encoding="utf-8")
    os.mkfifo(folder / "pipe.py")
    (folder / "gone.py").symlink_to(folder / "nothing")
    (folder / "loop.py").symlink_to(folder / "loop.py")
    (folder / "endless.py").symlink_to("/dev/zero")
    (folder / "memory.py").symlink_to("/proc/self/mem")
    (folder / "folder.py").mkdir()
    (folder / "wide.py").write_bytes("cv2 wide = 1".encode("utf-16"))
    (folder / "null.py").write_bytes(b"null = 1\0 cv2")
    (folder / "deep.py").write_bytes(b"deep = " + b"(" * 5_000 + b")" * 5_000)
    (folder / "cookie.py").write_bytes(b"# coding: rot13\nimport cv2")
    (folder / "half.py").write_bytes(b"import cv2\nhalf = (")
    (folder / "round").symlink_to(folder, target_is_directory=True)


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


@pytest.mark.parametrize("name", TIMES)
def test_what_another_python_reads_is_read_or_said_to_be_unread(ours: dict[str, str], name: str) -> None:
    assert ("TLD101" in ours[name]) != ("TLD000" in ours[name])


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


def program_in(encoding: str) -> bytes:
    """The loader as a file in an encoding that it names, with letters of other alphabets if the encoding has them."""
    text = f"# coding: {encoding}\nx = 'äЖ日'\n{BEGINNING}{LOADER}"
    errors = "ignore" if encoding in ("idna", "punycode") else "replace"
    try:
        return text.encode(encoding, errors)
    except (LookupError, UnicodeError):
        return text.encode("ascii", "ignore")


@pytest.mark.parametrize("encoding", sorted(NAMED))
def test_every_encoding_hides_nothing_or_is_said_to_be_unreadable(encoding: str) -> None:
    content = program_in(encoding)
    said = Linter(Config()).bytes(content, Path("program.py"))
    names_itself = content.startswith((b"# coding", codecs.BOM_UTF8))

    match said:
        case Linted(findings=findings):
            assert names_itself
            assert [finding.code for finding in findings] == ["TLD101"]
        case Problem(reason=reason):
            assert reason == "is a binary file" or reason.startswith("can't be decoded")
            assert not names_itself or "not a text encoding" in reason


def test_what_is_imported_may_be_unreadable_in_every_way(tmp_path: Path) -> None:
    write_project(tmp_path)
    importer = tmp_path / "importer.py"
    of_flake8 = run("-m", "flake8", "--isolated", "--jobs=1", "--select=TLD", importer)
    of_command = run("-m", "flake8_torchloader", "--isolated", "--no-cache", "--output-format=concise", importer)

    assert (of_flake8.stderr, of_command.stderr.count("torchloader:")) == ("", 0)
    assert "while reading it" not in of_flake8.stdout
    assert [line.split()[1] for line in of_flake8.stdout.splitlines()] == ["TLD401", "TLD101"]
    assert of_command.stdout.startswith(of_flake8.stdout)


def test_a_file_may_vanish_or_change_after_it_was_listed(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.py").write_text(BEGINNING + LOADER, encoding="utf-8")
    results = lint_paths([tmp_path], Config(jobs=1, cache=False))
    first = next(results)
    (tmp_path / "b.py").unlink()
    (tmp_path / "c.py").write_bytes(b"\0")
    (tmp_path / "d.py").write_text("", encoding="utf-8")
    gone, binary, empty = results

    assert isinstance(first, Linted) and [finding.code for finding in first.findings] == ["TLD101"]
    assert gone == Problem(tmp_path / "b.py", "No such file or directory")
    assert binary == Problem(tmp_path / "c.py", "is a binary file")
    assert isinstance(empty, Linted) and empty.findings == ()


def test_what_is_found_is_that_of_the_text_and_not_of_what_lies_there_by_now(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    text = f"import program\n{BEGINNING}from program import loader as other\n{LOADER}"
    alone = lint(text, "")
    for now in (b"", b"\0", b"loader = (", text.encode()[:-30]):
        program.write_bytes(now)

        assert lint(text, str(program)) == alone


def test_a_file_that_is_imported_may_change_while_it_is_read(tmp_path: Path) -> None:
    write_project(tmp_path)
    changing = tmp_path / "half.py"
    contents = cycle([b"", b"def half(batch): return batch\n", b"half = (", b"half = lambda: 0\n" * 500, b"\0", None])
    is_over = threading.Event()

    def change() -> None:
        while not is_over.is_set():
            content = next(contents)
            changing.unlink(missing_ok=True) if content is None else changing.write_bytes(content)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        found = [lint(IMPORTER, str(tmp_path / "importer.py")) for _ in range(30)]
    finally:
        is_over.set()
        thread.join()

    assert {"TLD000"}.isdisjoint(finding.code for findings in found for finding in findings)
    assert all({"TLD101", "TLD401"} <= {finding.code for finding in findings} for findings in found)
