"""Config files: which one counts, what it says, and what it is refused for."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_torchloader.choosing.config import Config, parse_per_file_ignores
from flake8_torchloader.command import cli
from flake8_torchloader.command.command_line import OPTIONS, read_order
from flake8_torchloader.command.refused import Refused
from flake8_torchloader.report import Format
from flake8_torchloader.start_method import StartMethod

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str = LAMBDA) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


TOML = """\
[tool.torchloader]
select = ["TLD1", "TLD2"]
extend-ignore = "TLD103,TLD102"
start-methods = ["fork", "spawn"]
large_array = 1024
jobs = "auto"
output-format = "concise"
baseline = "known.json"
exclude = ["a b/", "c.py"]
respect-gitignore = false
exit-zero = true

[tool.torchloader.per-file-ignores]
"tests/*" = ["TLD101", "TLD201"]
"demo.py" = "TLD"
"""
INI = """\
[{section}]
select = TLD1,
    TLD2
extend_ignore = TLD103,TLD102
start-methods = fork, spawn
large-array = 1KiB
jobs = auto
output-format = concise
baseline = known.json
exclude =
    a b/
    c.py
respect-gitignore = no
exit-zero = yes
per-file-ignores =
    tests/*:TLD101,TLD201
    demo.py: TLD
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", TOML),
        ("setup.cfg", INI.format(section="torchloader")),
        ("setup.cfg", INI.format(section="tool:torchloader")),
        ("tox.ini", INI.format(section="torchloader")),
    ],
)
def test_each_kind_of_file_says_the_same(folder: Path, name: str, text: str) -> None:
    write(name, text)
    order = read_order([])

    assert order.config == Config(
        select=("TLD1", "TLD2"),
        extend_ignore=("TLD103", "TLD102"),
        start_methods=frozenset({StartMethod.FORK, StartMethod.SPAWN}),
        large_array=1024,
        jobs=0,
        cache=True,
        exclude=("a b/", "c.py"),
        respect_gitignore=False,
        per_file_ignores=(("tests/*", ("TLD101", "TLD201")), ("demo.py", ("TLD",))),
        root=folder,
    )
    assert order.output.output_format is Format.CONCISE
    assert order.output.baseline == folder / "known.json"
    assert order.output.exit_zero


def test_the_command_line_has_the_last_word() -> None:
    write("pyproject.toml", TOML)
    order = read_order(["--select=TLD4", "--no-exit-zero", "--large-array=2KiB", "--respect-gitignore"])

    assert (order.config.select, order.config.extend_ignore) == (("TLD4",), ("TLD103", "TLD102"))
    assert (order.config.large_array, order.output.exit_zero, order.config.respect_gitignore) == (2048, False, True)


def test_without_a_file_there_are_as_many_processes_as_pay_off() -> None:
    assert read_order([]).config == Config(jobs=0, cache=True)
    write("pyproject.toml", TOML)
    assert read_order(["--isolated"]).config == Config(jobs=0, cache=True)


def test_the_file_counts_that_is_nearest_to_all_paths(folder: Path) -> None:
    for name, size in (("", 1), ("p/", 2), ("p/a/", 3)):
        write(f"{name}pyproject.toml", f"[tool.torchloader]\nlarge-array = {size}\n")
        write(f"{name}x.py")
    write("p/b/x.py")

    def large(*paths: str) -> int:
        return read_order(paths).config.large_array

    assert [large(), large("p"), large("p/a/x.py"), large("p/a", "p/b"), large("p/b/x.py"), large("p/a", ".")] == [
        1, 2, 3, 2, 2, 1,
    ]  # fmt: skip
    assert large("-", "--stdin-filename=p/a/new.py") == 3
    assert large("-") == 1
    assert large("p/a", "--config=p/pyproject.toml") == 2


def test_a_file_without_a_section_does_not_count() -> None:
    write("setup.cfg", "[torchloader]\nlarge-array = 5\n")
    write("pyproject.toml", "[tool.ruff]\n# torchloader\n")
    write("p/tox.ini", "[tox]\n")
    write("p/pyproject.toml", "[project]\nname = 'torchloader'\n")

    assert read_order(["p"]).config.large_array == 5


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("pyproject.toml", "[tool.torchloader]\nselct = 'TLD1'", "unknown key 'selct': did you mean 'select'?"),
        ("pyproject.toml", "[tool.torchloader]\nextend_exlude = []", "did you mean 'extend-exclude'?"),
        ("pyproject.toml", "[tool.torchloader]\nverify = true", "unknown key 'verify'"),
        ("pyproject.toml", "[tool.torchloader]\nselect = ['TLD909']", "select: unknown code 'TLD909'"),
        ("pyproject.toml", "[tool.torchloader]\nselect = []", "select: no code given"),
        ("setup.cfg", "[torchloader]\nselect =\n", "select: no code given"),
        ("pyproject.toml", "[tool.torchloader]\nselect = [1]", "select: neither text nor number"),
        ("pyproject.toml", "[tool.torchloader]\njobs = 0.5", "jobs: not a number of processes: '0.5'"),
        ("pyproject.toml", "[tool.torchloader]\nquiet = 'maybe'", "quiet: neither true nor false: 'maybe'"),
        ("pyproject.toml", "[tool.torchloader]\nlarge-array = 'much'", "large-array: not a size: 'much'"),
        ("pyproject.toml", "[tool]\ntorchloader = 3", "tool.torchloader is no table"),
        ("pyproject.toml", "[tool.torchloader\n", "line 1"),
        ("setup.cfg", "[torchloader]\nstart-methods = vfork", "start-methods: unknown start method 'vfork'"),
        ("setup.cfg", "torchloader = 3", "no section headers"),
        ("tox.ini", "[torchloader]\nper-file-ignores = a.py", "per-file-ignores: not pairs of pattern:codes: 'a.py'"),
        ("tox.ini", "[torchloader]\nexclude = a, !", "exclude: not a pattern: '!'"),
        ("pyproject.toml", "[tool.torchloader]\nexclude = ['a.py', '!']", "exclude: not a pattern: '!'"),
        ("pyproject.toml", "[tool.torchloader]\nexclude = ['a.py', 3]", "exclude: neither text nor number"),
        ("pyproject.toml", "[tool.torchloader.per-file-ignores]\n'!' = 'TLD1'", "per-file-ignores: not a pattern: '!'"),
        ("pyproject.toml", "[tool.torchloader.per-file-ignores]\n'a' = 'X1'", "per-file-ignores: unknown code 'X1'"),
        ("tox.ini", "[torchloader]\nselect", "parsing errors: 'tox.ini' [line 2]"),
        ("tox.ini", "[torchloader]\ncache-dir =", "cache-dir: not a path: ''"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], folder: Path, name: str, text: str, named: str
) -> None:
    write(name, text)

    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"torchloader: {folder / name}: ")
    assert named in err


@pytest.mark.parametrize("name", ["setup.cfg", "tox.ini"])
def test_what_stands_in_default_is_not_ours(name: str) -> None:
    write(name, "[DEFAULT]\nversion = 1.2\njobs = 5\n[torchloader]\nlarge-array = 3\n")

    assert (read_order([]).config.large_array, read_order([]).config.jobs) == (3, 0)
    write(name, "[DEFAULT]\nmodule = torchloader\n[flake8]\n")
    assert read_order([]).config == Config(jobs=0, cache=True)


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg"])
def test_a_mark_at_the_beginning_is_passed_over(name: str) -> None:
    section = "[tool.torchloader]" if name == "pyproject.toml" else "[torchloader]"
    Path(name).write_bytes(f"\ufeff{section}\njobs = 3\n".encode())

    assert read_order([]).config.jobs == 3


def test_a_file_that_cannot_be_decoded_is_refused() -> None:
    Path("setup.cfg").write_bytes(b"[torchloader]\n\xff")

    with pytest.raises(Refused, match=r"setup\.cfg: can't be decoded"):
        read_order([])


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("a.py:TLD1", (("a.py", ("TLD1",)),)),
        ("a.py,b/*: TLD1, TLD2 c:TLD", (("a.py", ("TLD1", "TLD2")), ("b/*", ("TLD1", "TLD2")), ("c", ("TLD",)))),
    ],
)
def test_pairs_of_patterns_and_codes(text: str, pairs: object) -> None:
    assert parse_per_file_ignores(text) == pairs


@pytest.mark.parametrize("text", ["a.py", "a.py:", ":TLD1", "a.py:TLD1 b.py", "a.py::TLD1", "a.py:tld1", "a.py:TLD1:"])
def test_what_are_no_pairs(text: str) -> None:
    with pytest.raises(ValueError, match="not pairs"):
        parse_per_file_ignores(text)


def test_codes_are_left_out_in_some_files(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.py", "tests/b.py", "tests/deep/c.py", "demo.py"):
        write(name)
    write("pyproject.toml", "[tool.torchloader.per-file-ignores]\n'tests/*' = ['TLD2']\n'demo.py' = ['TLD101']\n")

    assert cli.main(["--output-format=concise"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["a.py", "demo.py"]
    assert cli.main(["--output-format=concise", "--select=TLD201", "--per-file-ignores=*.py:TLD"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_elements_of_a_list_are_taken_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a,b.py", "c d.py", "e.py", "b.py", "d.py"):
        write(name)
    table = "[tool.torchloader.per-file-ignores]\n'c d.py' = 'TLD1,TLD2'\n'[e,].py' = ['TLD2']\n"
    write("pyproject.toml", f"[tool.torchloader]\nexclude = ['a,b.py', '']\nselect = ['TLD1,TLD2', 'TLD3']\n{table}")
    config = read_order([]).config

    assert (config.exclude, config.select) == (("a,b.py",), ("TLD1", "TLD2", "TLD3"))
    assert config.per_file_ignores == (("c d.py", ("TLD1", "TLD2")), ("[e,].py", ("TLD2",)))
    assert cli.main(["--output-format=concise"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["b.py", "d.py"]


def test_patterns_of_the_command_line_are_relative_to_the_current_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sub/gen/a.py", "sub/b.py", "gen/c.py"):
        write(name)
    write("pyproject.toml", "[tool.torchloader]\noutput-format = 'concise'\nextend-exclude = ['/gen/']\n")
    monkeypatch.chdir("sub")

    cli.main([])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["b.py", "gen/a.py"]
    cli.main(["--exclude=/gen/", "..", "."])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["../sub/b.py"]


def test_every_choice_of_a_config_can_be_made_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_order(["--help"])
    shown = capsys.readouterr().out

    for name, option in OPTIONS.items():
        spelled = name.replace("_", "-")
        assert f"--{spelled}" in shown or f"--no-{spelled}" in shown
        assert option.help.split()[0] in shown
