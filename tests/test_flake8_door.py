"""The flake8 door, tried as a user does: `python -m flake8` in a process of its own."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running_room import needs_torch

from flake8_torchloader import rules
from flake8_torchloader.flake8_plugin import Choice, Plugin
from flake8_torchloader.linted import Linted
from flake8_torchloader.linting import lint
from flake8_torchloader.running.program import Limits
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import ALL_METHODS
from flake8_torchloader.trial import Trial
from flake8_torchloader.verdict import Evidence, Outcome, Verdict
from flake8_torchloader.verifying import Case, Proof, Verification

LAMBDA = """\
from torch.utils.data import DataLoader, TensorDataset


def batches(data):
    return DataLoader(TensorDataset(data), num_workers=2, collate_fn=lambda batch: batch)
"""
LAMBDA_AT = "5:70: TLD201"

ARRAY = """\
import numpy as np
from torch.utils.data import Dataset


class Noise(Dataset):
    def __init__(self):
        self.noise = np.zeros((1024, 1024, 32))

    def __getitem__(self, index):
        return self.noise[index]
"""
ARRAY_AT = "7:22: TLD301"

BROKEN = """\
from torch.utils.data import DataLoader
DataLoader(
"""

CONFIGS = ("setup.cfg", "tox.ini", ".flake8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two programs, as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noise.py").write_text(ARRAY, encoding="utf-8")
    (tmp_path / "collate.py").write_text(LAMBDA, encoding="utf-8")
    return tmp_path


def flake8(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return python("-m", "flake8", *arguments, given=given)


def python(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], input=given, capture_output=True, text=True, timeout=120
    )


def places(run: subprocess.CompletedProcess[str]) -> list[str]:
    """What flake8 printed, without the messages; that it did not stumble is checked on the way."""
    assert run.stderr == ""
    assert run.returncode == (1 if run.stdout else 0)
    return [" ".join(line.split(" ")[:2]) for line in run.stdout.splitlines()]


def imports_after(*arguments: str) -> set[str]:
    """Which of the rooms and libraries that cost time a flake8 run within one process imports."""
    program = (
        "import sys; from flake8.main.cli import main; main(sys.argv[1:]); "
        "costly = {'libcst', 'torch', 'flake8_torchloader.reading', 'flake8_torchloader.reading.reader'}; "
        "print('IMPORTED', *costly.intersection(sys.modules))"
    )
    run = python("-c", program, "--jobs=1", *arguments)
    assert run.stderr == ""
    return set(run.stdout.splitlines()[-1].split()[1:])


def test_findings_are_given_with_their_places() -> None:
    assert places(flake8("--select=TLD", ".")) == [f"./collate.py:{LAMBDA_AT}", f"./noise.py:{ARRAY_AT}"]


def test_the_plugin_is_on_without_any_option() -> None:
    assert places(flake8("--ignore=E,W", "collate.py")) == [f"collate.py:{LAMBDA_AT}"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--select=TLD2"], ["collate"]),
        (["--select=TLD301"], ["noise"]),
        (["--select=TLD", "--ignore=TLD3"], ["collate"]),
        (["--select=TLD2,TLD3", "--ignore=TLD201"], ["noise"]),
        (["--select=F", "--extend-select=TLD3"], ["noise"]),
        (["--select=F"], []),
        (["--extend-ignore=TLD,E501"], []),
        (["--select=TLD201", "--extend-ignore=TLD"], ["collate"]),
        (["--select=TLD", "--per-file-ignores=collate.py:TLD2"], ["noise"]),
        (["--select=TLD", "--per-file-ignores=*.py:TLD"], []),
    ],
    ids=" ".join,
)
def test_selecting_and_ignoring(options: list[str], found: list[str]) -> None:
    assert [Path(place.split(":")[0]).stem for place in places(flake8(*options, "."))] == found


def test_noqa_silences_its_line(folder: Path) -> None:
    (folder / "collate.py").write_text(LAMBDA.rstrip() + "  # noqa: TLD201\n", encoding="utf-8")
    (folder / "noise.py").write_text(ARRAY.replace("32))", "32))  # noqa: TLD201"), encoding="utf-8")

    assert places(flake8("--select=TLD", ".")) == [f"./noise.py:{ARRAY_AT}"]
    assert len(places(flake8("--select=TLD", "--disable-noqa", "."))) == 2


def test_standard_input_is_read_and_no_file_is_opened(folder: Path) -> None:
    (folder / "shown.py").write_text(ARRAY, encoding="utf-8")
    for name in ("shown.py", "absent/shown.py"):
        run = flake8("--select=TLD", f"--stdin-display-name={name}", "-", given=LAMBDA)
        assert places(run) == [f"{name}:{LAMBDA_AT}"]


def test_other_line_ends_and_a_byte_order_mark_move_nothing(folder: Path) -> None:
    (folder / "collate.py").write_bytes(b"\xef\xbb\xbf" + LAMBDA.replace("\n", "\r\n").encode())

    assert places(flake8("--select=TLD", "collate.py")) == [f"collate.py:{LAMBDA_AT}"]
    run = flake8("--select=TLD", "-", given=LAMBDA.replace("\n", "\r\n"))
    assert places(run) == [f"stdin:{LAMBDA_AT}"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_two_jobs_find_the_same(method: str) -> None:
    program = (
        "import multiprocessing, sys; multiprocessing.set_start_method(sys.argv[1]); "
        "from flake8.main.cli import main; raise SystemExit(main(sys.argv[2:]))"
    )
    run = python("-c", program, method, "--jobs=2", "--select=TLD", "--torchloader-large-array=1GiB", ".")

    assert places(run) == [f"./collate.py:{LAMBDA_AT}"]


@pytest.mark.parametrize(
    ("option", "found"),
    [
        ("--torchloader-start-methods=fork", []),
        ("--torchloader-start-methods=spawn", ["collate", "noise"]),
        ("--torchloader-large-array=1GiB", ["collate"]),
        ("--torchloader-large-array=256 MiB", ["collate", "noise"]),
        ("--torchloader-follow-depth=0", ["collate", "noise"]),
        ("--torchloader-follow-files=0", ["collate", "noise"]),
    ],
)
def test_options_on_the_command_line(option: str, found: list[str]) -> None:
    run = flake8("--select=TLD2,TLD3", option, ".")

    assert [Path(place.split(":")[0]).stem for place in places(run)] == found


@pytest.mark.parametrize("config", CONFIGS)
def test_options_in_config_files(folder: Path, config: str) -> None:
    options = "torchloader-start-methods =\n    fork,\n    spawn\ntorchloader_large_array = 1 GiB"
    (folder / config).write_text(f"[flake8]\nselect = TLD\n{options}\n", encoding="utf-8")

    assert places(flake8(".")) == [f"./collate.py:{LAMBDA_AT}"]
    assert places(flake8("--torchloader-start-methods=fork", ".")) == []


BAD_VALUES = [
    ("torchloader-start-methods", "fork,vfork", "unknown start method 'vfork'"),
    ("torchloader-start-methods", "", "no start method given"),
    ("torchloader-large-array", "64 parsecs", "not a size: '64 parsecs'"),
    ("torchloader-large-array", "9" * 400, "not a size"),
    ("torchloader-follow-depth", "-1", "not a number from 0 on: '-1'"),
    ("torchloader-follow-files", "many", "not a number from 0 on: 'many'"),
]


def assert_is_usage_error(run: subprocess.CompletedProcess[str], option: str, reason: str) -> None:
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert run.stderr.startswith("usage: flake8")
    assert f"flake8: error: argument --{option}: " in run.stderr
    assert reason in run.stderr


@pytest.mark.parametrize(("option", "value", "reason"), BAD_VALUES)
def test_bad_values_on_the_command_line_are_usage_errors(option: str, value: str, reason: str) -> None:
    assert_is_usage_error(flake8(f"--{option}={value}", "."), option, reason)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(("option", "value", "reason"), BAD_VALUES[::2])
def test_bad_values_in_config_files_are_usage_errors(
    folder: Path, config: str, option: str, value: str, reason: str
) -> None:
    (folder / config).write_text(f"[flake8]\n{option} = {value}\n", encoding="utf-8")

    assert_is_usage_error(flake8("."), option, reason)


def test_help_names_the_options() -> None:
    shown = flake8("--help").stdout

    assert "--torchloader-start-methods METHODS" in shown
    assert "--torchloader-large-array SIZE" in shown


def test_a_file_with_a_syntax_error_is_left_to_flake8(folder: Path) -> None:
    (folder / "broken.py").write_text(BROKEN, encoding="utf-8")

    assert [place.split(" ")[-1] for place in places(flake8("--select=E9,TLD", "broken.py"))] == ["E999"]


def test_what_cannot_be_read_is_said_once_and_only_to_those_who_asked(folder: Path) -> None:
    (folder / "deep.py").write_text(f"{LAMBDA}\n\ndeep = {'[' * 95}{']' * 95}\n", encoding="utf-8")

    assert places(flake8("--select=TLD", "deep.py")) == ["deep.py:8:1: TLD000"]
    assert places(flake8("--select=TLD2", "deep.py")) == []


def test_the_door_itself_imports_nothing_that_costs_time() -> None:
    program = "import sys, flake8_torchloader.flake8_plugin; print({'libcst', 'torch', 're'} & {*sys.modules})"

    assert python("-c", program).stdout == "{'re'}\n"


@pytest.mark.parametrize(
    ("text", "rooms"), [("", set()), ("import torch\n\nDataset = torch.nn.Linear\n", {"flake8_torchloader.reading"})]
)
def test_a_file_that_cannot_matter_costs_no_libcst(folder: Path, text: str, rooms: set[str]) -> None:
    (folder / "other.py").write_text(text, encoding="utf-8")

    assert imports_after("--select=TLD", "other.py") == rooms


def test_a_file_that_matters_is_read_without_torch() -> None:
    rooms = {"flake8_torchloader.reading", "flake8_torchloader.reading.reader"}

    assert imports_after("--select=TLD", "collate.py") == {"libcst", *rooms}


@pytest.mark.parametrize("option", ["--select=F", "--extend-ignore=TLD"])
def test_what_is_not_selected_is_not_analysed(option: str) -> None:
    assert imports_after(option, "collate.py") == set()


def options(**chosen: object) -> argparse.Namespace:
    """Options as flake8 hands them over, of a run in which only what is given was chosen."""
    unchosen = dict.fromkeys(("select", "extend_select", "ignore", "extend_ignore"))
    extended = {"extended_default_select": ["TLD"], "extended_default_ignore": []}
    ours: dict[str, object] = {"torchloader_start_methods": ALL_METHODS, "torchloader_large_array": 1}
    ours |= {"torchloader_follow_depth": 6, "torchloader_follow_files": 100}
    ours |= {"verify": False, "disable_noqa": False}
    return argparse.Namespace(**{**unchosen, **extended, **ours, **chosen})


class OptIn:
    """What is looked at of a rule to decide whether it is on."""

    code = "TLD302"
    is_opt_in = True


@pytest.mark.parametrize(
    ("chosen", "is_on"),
    [
        ({}, False),
        ({"select": ["TLD"]}, False),
        ({"ignore": ["E"]}, False),
        ({"extend_select": ["TLD"]}, False),
        ({"select": ["T"], "ignore": ["E"], "extend_ignore": ["W"]}, False),
        ({"select": ["TLD3"]}, True),
        ({"extend_select": ["TLD302"]}, True),
        ({"extend_select": ["TLD3"], "ignore": ["E"]}, True),
        ({"select": ["TLD3"], "ignore": ["TLD302"]}, False),
        ({"select": ["TLD2"]}, False),
    ],
    ids=str,
)
def test_opt_in_codes_are_given_to_those_who_name_them(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, list[str]], is_on: bool
) -> None:
    monkeypatch.setattr(rules, "all_rules", lambda: (OptIn,))

    assert Choice(options(**chosen)).codes == ({"TLD302"} if is_on else set())


def test_no_opt_in_code_is_looked_for_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (rule,) = (rule for rule in rules.all_rules() if rule.code == "TLD201")
    monkeypatch.setattr(rule, "is_opt_in", True)

    assert lint(LAMBDA, "collate.py") == []
    assert [finding.code for finding in lint(LAMBDA, "collate.py", rules={"TLD201"})] == ["TLD201"]
    assert run_in_process(monkeypatch, "TLD") == []
    assert run_in_process(monkeypatch, "TLD", "TLD2") == [(5, 69, "TLD201")]


def messages(monkeypatch: pytest.MonkeyPatch, text: str = LAMBDA, **chosen: object) -> list[tuple[int, int, str]]:
    """What the plugin yields for a program, in this process: line, column and message."""
    monkeypatch.setattr(Plugin, "choice", Choice(options(**chosen)), raising=False)
    plugin = Plugin(ast.parse(text), text.splitlines(keepends=True), "collate.py")
    return [(line, column, message) for line, column, message, _ in plugin.run()]


def run_in_process(monkeypatch: pytest.MonkeyPatch, *selected: str) -> list[tuple[int, int, str]]:
    """What the plugin yields for the program with the lambda: line, column and code."""
    found = messages(monkeypatch, select=list(selected))
    return [(line, column, message.split(" ")[0]) for line, column, message in found]


def test_a_flake8_that_decides_elsewhere_is_no_reason_to_fall_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("flake8.style_guide.DecisionEngine")

    assert run_in_process(monkeypatch, "TLD201") == [(5, 69, "TLD201")]


@pytest.mark.parametrize(
    ("selected", "found"), [(["TLD"], [(1, 0, "TLD000")]), (["TLD2"], [])], ids=["asked", "not asked"]
)
def test_an_error_of_ours_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, selected: list[str], found: list[tuple[int, int, str]]
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError

    for each in rules.all_rules():
        monkeypatch.setattr(each, "check", fail)

    assert run_in_process(monkeypatch, *selected) == found


RUNNABLE = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    open("ran", "w").close()
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""


@pytest.mark.parametrize("config", [*CONFIGS, "--append-config=more.ini", "--config=more.ini"])
@pytest.mark.parametrize("wish", ["verify = true", "verify", "verify = 1\n--verify = 1"])
def test_no_config_file_makes_it_run_anything(folder: Path, config: str, wish: str) -> None:
    (folder / "collate.py").write_text(RUNNABLE, encoding="utf-8")
    name = config.rpartition("=")[2]
    (folder / name).write_text(f"[flake8]\nselect = TLD\n{wish}\n", encoding="utf-8")
    run = flake8(*([config] if "=" in config else []), "--select=TLD", "collate.py")

    assert " [" not in run.stdout
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("others", [[], ["collate.py"]], ids=["alone", "among files"])
def test_standard_input_is_never_run(others: list[str]) -> None:
    run = flake8("--verify", "--stdin-display-name=collate.py", *others, "-", given=RUNNABLE)

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1] == (
        "flake8: error: --verify runs the files that it is given, and standard input is none"
    )


def proving(asked: list[Linted]) -> Callable[[Case, Settings], Verification]:
    """Stands in for running: what is asked is remembered, and confirmed."""

    def verify(case: Case, settings: Settings) -> Verification:
        asked.extend(case.files)
        verdict = Verdict(Outcome.CONFIRMED, (Evidence(Trial.SPAWN, "no such luck"),))
        proofs = [Proof(file.path, finding, verdict, ()) for file in case.files for finding in file.findings]
        return Verification(case.program, Limits(), {}, tuple(proofs))

    return verify


@pytest.mark.parametrize("is_verifying", [True, False], ids=["verify", "lint"])
def test_the_verdict_stands_in_brackets_after_the_message(
    monkeypatch: pytest.MonkeyPatch, is_verifying: bool
) -> None:
    asked: list[Linted] = []
    monkeypatch.setattr("flake8_torchloader.verifying.verify", proving(asked))

    (found,) = messages(monkeypatch, verify=is_verifying)

    assert found[2].endswith(" [CONFIRMED: spawn: no such luck]") is is_verifying
    assert [file.path for file in asked] == [Path("collate.py")] * is_verifying


@pytest.mark.parametrize(("disable_noqa", "runs"), [(False, 0), (True, 1)])
def test_what_a_comment_silences_is_not_run(monkeypatch: pytest.MonkeyPatch, disable_noqa: bool, runs: int) -> None:
    asked: list[Linted] = []
    monkeypatch.setattr("flake8_torchloader.verifying.verify", proving(asked))

    messages(monkeypatch, f"{LAMBDA.rstrip()}  # noqa: TLD2\n", verify=True, disable_noqa=disable_noqa)

    assert len(asked) == runs


def test_what_cannot_be_run_is_no_reason_to_fall_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(case: Case, settings: Settings) -> Verification:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flake8_torchloader.verifying.verify", fail)

    (found,) = messages(monkeypatch, verify=True)

    assert found[2].endswith(" [could not be verified: OSError: [Errno 28] No space left on device]")


@needs_torch
def test_real_workers_prove_findings_one_file_at_a_time(folder: Path) -> None:
    (folder / "collate.py").write_text(RUNNABLE.replace('    open("ran", "w").close()\n', ""), encoding="utf-8")
    (folder / "clean.py").write_text('open("ran", "w").close()\n', encoding="utf-8")
    methods = "--torchloader-start-methods=spawn"
    run = flake8("--select=TLD", "--verify", "--jobs=2", methods, "collate.py", "clean.py")

    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.startswith("collate.py:4:46: TLD201 lambda")
    assert " [CONFIRMED: spawn: " in run.stdout
    assert not (folder / "ran").exists()
