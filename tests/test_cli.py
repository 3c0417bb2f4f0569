"""The command `torchloader`: what it looks at, what it prints, and the status that it ends with."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from running_room import Room, needs_torch

from flake8_torchloader.command import cli, proving
from flake8_torchloader.command.terminal import Watch
from flake8_torchloader.running.program import Entry, Limits, Script
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import ALL_METHODS, StartMethod
from flake8_torchloader.trial import Trial
from flake8_torchloader.verdict import Outcome, Reason, Verdict
from flake8_torchloader.verifying import Case, Proof, Step, Verification

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""
LAMBDA_AT = "4:46: TLD201"

PINNED = LAMBDA.replace("=2)", '=2, multiprocessing_context="krof"[::-1])')

VERDICTS = {
    "confirmed": Verdict(Outcome.CONFIRMED),
    "refuted": Verdict(Outcome.REFUTED),
    "unknown": Verdict(Outcome.UNKNOWN, reason=Reason.NEVER_REACHED),
}


class Programs:
    """Stands in for running: each program ends in the verdict that its name begins with."""

    def __init__(self) -> None:
        self.ran: list[tuple[Case, Settings, Limits]] = []
        self.error: BaseException | None = None

    def __call__(self, case: Case, settings: Settings, limits: Limits, watch: Watch) -> Verification:
        if self.error is not None:
            raise self.error
        self.ran.append((case, settings, limits))
        watch(Step(case.program, Trial.SPAWN, 1, 1, limits.seconds))
        proofs = [
            Proof(file.path, finding, VERDICTS[file.path.stem.split("_")[0]], (Trial.SPAWN,))
            for file in case.files
            for finding in file.findings
        ]
        return Verification(case.program, limits, {}, tuple(proofs))


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = Programs()
    monkeypatch.setattr(proving, "verify", made)
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str, text: str = LAMBDA) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The files in which something is found, with status 1 if there are any."""
    status = cli.main(["--output-format=concise", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    assert status == (1 if out else 0)
    return [line.split(":")[0] for line in out.splitlines()]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command line is refused with."""
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("torchloader: ")
    assert err.count("\n") == 1
    return err


def test_findings_are_given_as_flake8_gives_them(capsys: pytest.CaptureFixture[str]) -> None:
    write("train.py")

    assert cli.main(["train.py"]) == 1
    assert capsys.readouterr().out.startswith(f"train.py:{LAMBDA_AT} lambda in collate_fn of loader ")


def test_nothing_found_is_little_said(capsys: pytest.CaptureFixture[str]) -> None:
    write("clean.py", text="import torch\n")

    assert found(capsys, "clean.py") == []
    assert found(capsys, "clean.py", "--output-format=text", "--quiet") == []
    assert cli.main(["clean.py"]) == 0
    assert capsys.readouterr().out == "nothing found in 1 file\n"


def test_that_there_is_nothing_to_look_at_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "no programs and no notebooks" in capsys.readouterr().err
    assert cli.main(["--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_folders_are_gone_through_but_for_what_is_not_the_users_own(capsys: pytest.CaptureFixture[str]) -> None:
    write("b.py", "a/c.py", "a/notes.txt", "a/.hidden.py", "named.txt")
    write(".git/x.py", "build/x.py", "a/__pycache__/x.py", ".venv/x.py", "own/x.py", "own/pyvenv.cfg")
    Path("loop").symlink_to(".")
    Path("gone.py").symlink_to("nowhere.py")

    assert found(capsys, ".") == ["b.py", "a/.hidden.py", "a/c.py"]
    assert found(capsys, "named.txt", "build", "named.txt") == ["named.txt", "build/x.py"]


@pytest.mark.parametrize(
    ("comment", "is_silent"),
    [
        ("# noqa", True),
        ("# NoQA:TLD201", True),
        ("# noqa: tld201", False),
        ("# noqa: E501, TLD2", True),
        ("# noqa: E501,F401 TLD201 because", True),
        ("# noqa: TLD301", False),
        ("# no qa", False),
    ],
)
def test_comments_silence_a_line(capsys: pytest.CaptureFixture[str], comment: str, is_silent: bool) -> None:
    write("train.py", text=LAMBDA.replace("=2)", f"=2)  {comment}"))

    assert found(capsys, "train.py") == ([] if is_silent else ["train.py"])


@pytest.mark.parametrize(
    ("old", "new", "is_silent"),
    [
        ("=2)", "=2,  # noqa\n    )", True),
        ("=2)", "=2\n    )  # noqa", False),
        ("num_workers=2)", 'num_workers=2, timeout=len("""\n"""))  # noqa', True),
        ("num_workers=2)", "\\\n        num_workers=2)  # noqa", True),
        ("from torch", "# flake8: noqa\nfrom torch", True),
        ("from torch", "x = 1  # flake8: noqa\nfrom torch", False),
    ],
    ids=["own line", "other line", "long string", "backslash", "file", "beside code"],
)
def test_a_comment_reaches_as_far_as_in_flake8(
    capsys: pytest.CaptureFixture[str], old: str, new: str, is_silent: bool
) -> None:
    write("train.py", text=LAMBDA.replace(old, new))
    flake8 = subprocess.run([sys.executable, "-m", "flake8", "--select=TLD", "."], capture_output=True, timeout=120)

    assert (flake8.stdout == b"") is is_silent
    assert found(capsys, "train.py") == ([] if is_silent else ["train.py"])


def test_options_choose_what_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    write("train.py")

    assert found(capsys, "train.py", "--start-methods", "fork") == []
    assert found(capsys, "train.py", "--start-methods=fork,spawn", "--large-array", "1GiB") == ["train.py"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-", "x.py"], "standard input (-) stands alone"),
        (["-", "--verify"], "standard input (-) can't be verified"),
        ([".", "--stdin-filename=x.py"], "give - as the path"),
        ([".", "--write-baseline=b", "--verify"], "leave out --verify"),
        ([".", "--config=c.toml", "--isolated"], "leave out --config"),
        ([".", "--config=absent.toml"], "absent.toml: No such file or directory"),
        ([".", "--baseline=absent.json"], "absent.json: No such file or directory"),
        ([".", "--write-baseline=absent/b.json"], "absent/b.json"),
        ([".", "--output-file", "."], "argument --output-file: can't write to ."),
        ([".", "--output-format=html"], "unknown format 'html': choose from text, concise, json"),
        ([".", "--select=TLD21"], "unknown code 'TLD21': did you mean TLD2"),
        ([".", "--select="], "argument --select: no code given: write some, or leave the option out to look for all\n"),
        ([".", "--select", " , "], "argument --select: no code given"),
        ([".", "--ignore", "E501"], "argument --ignore: unknown code 'E501': all begin with TLD"),
        ([".", "--per-file-ignores=tests/"], "argument --per-file-ignores: not pairs of pattern:codes: 'tests/'"),
        ([".", "--per-file-ignores=a:TLD1 b"], "not pairs of pattern:codes"),
        ([".", "--exclude=!"], "argument --exclude: not a pattern: '!'"),
        ([".", "--jobs=0"], "not a number of processes: '0'"),
        (["--sideways", "."], "no such option: --sideways\n"),
        (["--format=json", "."], "no such option: --format (did you mean --output-format?)"),
        (["-", "--stdin-display-name", "x.py"], "--stdin-display-name (did you mean --stdin-filename?)"),
        ([""], "argument PATH: not a path: ''"),
        ([".", "--cache-dir="], "argument --cache-dir: not a path: ''"),
        ([".", "--json", "a\0b"], "argument --json: not a path: 'a\\x00b'"),
        ([".", "--start-methods", "vfork"], "unknown start method 'vfork'"),
        ([".", "--large-array", "much"], "not a size: 'much'"),
        ([".", "--timeout", "0"], "not a number of seconds: '0'"),
        ([".", "--timeout", "nan"], "not a number of seconds: 'nan'"),
        ([".", "--batches", "-1"], "--batches"),
        ([".", "--epochs", "1e3"], "not a number from 1 on: '1e3'"),
        ([".", "--workers", "9" * 5000], "not a number from 1 on"),
        ([".", "--verify", "--entry", "data.make"], "not an entry: 'data.make'"),
        ([".", "--entry", "data:make"], "add --verify"),
        ([".", "--", "--epochs"], "add --verify"),
        ([".", "--verify", "--entry", "data:make", "--", "x"], "takes no arguments"),
        ([".", "--python", "no-such-python"], "no such program: no-such-python"),
        ([".", "--cwd", "nowhere"], "no such folder: nowhere"),
        ([".", "--json", "nowhere/o.json"], "nowhere/o.json"),
        ([".", "--json", "."], "can't write to ."),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], named: str
) -> None:
    assert named in refused(capsys, *arguments)


def test_paths_may_stand_between_options(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.py")
    write("b.py")

    assert found(capsys, "a.py", "--isolated", "b.py", "--no-cache") == ["a.py", "b.py"]


def test_a_folder_that_is_gone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    assert "the current folder can't be found" in refused(capsys, "train.py")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_stream_may_be_closed(closed: str) -> None:
    write("train.py")
    command = f'"$0" -m flake8_torchloader --no-cache train.py {closed}'

    ended = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_standard_input_that_is_closed_is_told() -> None:
    command = '"$0" -m flake8_torchloader - <&-'

    ended = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (2, "torchloader: standard input (-) is closed\n")


def test_what_cannot_be_read_is_named_and_the_rest_is_linted(capsys: pytest.CaptureFixture[str]) -> None:
    write("train.py")
    Path("latin.py").write_bytes(b"x = '\xe9'\n")
    Path("cookie.py").write_bytes(b"# coding: klingon\n")
    os.mkfifo("pipe.py")

    Path("binary.py").write_bytes(b"MZ\0\0")
    write("broken.ipynb", text="{")
    names = ["absent.py", "latin.py", "cookie.py", "pipe.py", "binary.py", "broken.ipynb"]

    assert cli.main([*names, "train.py", "--output-format=concise", "--exit-zero"]) == 2
    out, err = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines()] == ["train.py"]
    named = [line.split(":")[1].strip() for line in err.splitlines()]
    assert named == names


def test_a_syntax_error_is_a_finding_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    write("broken.py", text=f"{LAMBDA}\n)")
    write("train.py")

    assert cli.main(["broken.py", "train.py", "--output-format=concise", "--exit-zero"]) == 2
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("broken.py:7:1: TLD000 this file could not be analysed for worker hazards: it is no valid")
    assert second.startswith("train.py:4:46: TLD201")


def test_a_rule_that_stumbles_is_named_with_its_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError

    write("train.py")
    monkeypatch.setattr("flake8_torchloader.linting.lint", fail)

    assert refused(capsys, "train.py", "--quiet") == "torchloader: train.py: RuntimeError while checking it\n"


def test_names_that_cannot_be_printed_are_printed_somehow() -> None:
    name = os.fsdecode(b"caf\xe9.py")
    write(name)
    run = torchloader(name, "--json", "o.json")

    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.startswith("caf\\udce9.py:4:46")
    assert json.loads(Path("o.json").read_text("ascii"))["findings"][0]["path"] == name


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["refuted_a.py", "refuted_b.py"], 0),
        (["refuted.py", "confirmed.py"], 1),
        (["refuted.py", "unknown.py"], 1),
        (["refuted.py", "missing/"], 2),
        (["confirmed.py", "missing/"], 2),
    ],
    ids=str,
)
def test_only_what_is_refuted_does_not_count(programs: Programs, names: list[str], status: int) -> None:
    write(*(name for name in names if name.endswith(".py")))

    assert cli.main([*names, "--verify"]) == status
    assert len(programs.ran) == sum(name.endswith(".py") for name in names)


def test_verdicts_are_printed_and_progress_goes_elsewhere(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    write("confirmed.py", "refuted.py")

    cli.main(["--verify", ".", "--output-format=concise"])
    out, err = capsys.readouterr()

    assert [line.partition(" lambda")[0] for line in out.splitlines()] == [
        f"confirmed.py:{LAMBDA_AT}",
        "    CONFIRMED",
        f"refuted.py:{LAMBDA_AT}",
        "    REFUTED",
        "1 confirmed, 1 refuted, 0 unknown",
    ]
    assert err.splitlines() == [
        "torchloader: confirmed.py: spawn (1 of 1, at most 60 s)",
        "torchloader: refuted.py: spawn (1 of 1, at most 60 s)",
    ]


def test_options_reach_the_program(programs: Programs, folder: Path) -> None:
    write("unknown.py", "src/unknown.py")
    limits = ["--timeout", "1.5", "--batches=3", "--epochs=4", "--allow-network", "--allow-write"]
    where = ["--python", "/bin/sh", "--cwd", "src", "--start-methods=spawn"]

    cli.main(["unknown.py", "--verify", *limits, *where, "--", "--epochs", "9", "--", "-x"])

    ((case, settings, given),) = programs.ran
    assert case.program.start == Script(Path("unknown.py"), ("--epochs", "9", "--", "-x"))
    assert (case.program.python, case.program.cwd) == (Path("/bin/sh"), folder / "src")
    assert settings == Settings(frozenset({StartMethod.SPAWN}))
    assert given == Limits(1.5, 3, 4, allow_network=True, allow_write=True)


def test_without_options_it_is_this_interpreter_here(programs: Programs, folder: Path) -> None:
    write("unknown.py")

    cli.main(["unknown.py", "--verify"])

    ((case, settings, limits),) = programs.ran
    assert (case.program.python, case.program.cwd) == (Path(sys.executable), folder)
    assert (settings.start_methods, limits) == (ALL_METHODS, Limits())


def test_library_files_share_the_program_of_their_entry(programs: Programs) -> None:
    write("unknown_a.py", "unknown_b.py")

    cli.main([".", "--verify", "--entry", "pkg.data:Make.loader", "--workers", "3"])

    ((case, _, _),) = programs.ran
    assert case.program.start == Entry("pkg.data:Make.loader", 3)
    assert len(case.files) == 2


def test_nothing_is_run_without_being_asked(programs: Programs) -> None:
    write("unknown.py")

    assert cli.main(["unknown.py"]) == 1
    assert programs.ran == []


def test_a_file_without_findings_is_not_run(programs: Programs) -> None:
    write("clean.py", text="raise SystemExit(7)\n")

    assert cli.main(["clean.py", "--verify"]) == 0
    assert programs.ran == []


def test_an_interruption_ends_at_once(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    write("unknown.py")
    programs.error = KeyboardInterrupt()

    assert cli.main(["unknown.py", "--verify"]) == 130
    assert capsys.readouterr().err == "torchloader: interrupted\n"


def test_what_cannot_be_verified_is_shown_without_a_verdict(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    write("unknown.py")
    programs.error = OSError(28, "No space left on device")

    assert cli.main(["unknown.py", "--verify", "--json", "o.json"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"unknown.py:{LAMBDA_AT}")
    assert err.startswith("torchloader: unknown.py: could not be verified: OSError: [Errno 28] No space left")
    written = json.loads(Path("o.json").read_text("utf-8"))
    assert written["findings"][0]["verdict"] is None
    assert written["problems"][0]["path"] == "unknown.py"


def test_the_json_file_holds_findings_and_verdicts(programs: Programs) -> None:
    write("confirmed.py")

    cli.main(["confirmed.py", "--verify", "--json", "o.json"])

    (finding,) = json.loads(Path("o.json").read_text("utf-8"))["findings"]
    assert (finding["path"], finding["code"], finding["verdict"]["outcome"]) == ("confirmed.py", "TLD201", "confirmed")


def test_other_systems_are_told(
    programs: Programs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("unknown.py")
    monkeypatch.setattr(proving, "IS_POSSIBLE_HERE", False)

    assert "Linux only" in refused(capsys, "unknown.py", "--verify")


def torchloader(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flake8_torchloader", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONUTF8": "1"})


def test_help_says_what_the_exit_status_means() -> None:
    shown = torchloader("--help")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert all(f"\n  {status}  " in shown.stdout for status in (0, 1, 2, 130))


def test_a_reader_who_leaves_is_no_error() -> None:
    write(*(f"{number}.py" for number in range(600)))
    command = f"'{sys.executable}' -m flake8_torchloader . | head -1"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)

    assert run.stdout.startswith("0.py:")
    assert run.stderr == ""


@pytest.mark.parametrize("has_rich", [True, False], ids=["rich", "no rich"])
def test_on_a_terminal_the_line_moves_if_it_can(has_rich: bool) -> None:
    write("train.py")
    write("torch/__init__.py", text="raise ImportError")
    if has_rich:
        pytest.importorskip("rich", reason="the moving line is drawn by rich")
    else:
        write("without/rich.py", text="raise ImportError")
    command = [sys.executable, "-m", "flake8_torchloader", "train.py", "--verify", "--timeout=20"]
    terminal, end = pty.openpty()
    subprocess.run(command, stderr=end, timeout=120, env={**os.environ, "PYTHONPATH": "without", "TERM": "xterm"})
    shown = os.read(terminal, 1 << 16).decode()

    assert "train.py: spawn (3 of 3, at most 20 s)" in shown
    assert ("\x1b[" in shown) is has_rich


def _notice_interruptions() -> None:
    """What runs in the background of a shell ignores them, and so do we if the tests do."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_running_program_ends_with_the_command(room: Room) -> None:
    room.write("train.py", LAMBDA + "import time; time.sleep(600)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "flake8_torchloader", "train.py", "--verify"],
        env={**os.environ, "TMPDIR": str(room.temporary)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_notice_interruptions,
    )
    while not list(room.temporary.rglob("events.jsonl")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)

    assert time.monotonic() - began < 10
    assert (process.returncode, err.splitlines()[-1]) == (130, "torchloader: interrupted")
    assert room.processes() == []
    assert list(room.temporary.iterdir()) == []


@needs_torch
def test_real_workers_refute_what_the_linter_cannot_know() -> None:
    write("pinned.py", text=PINNED)
    run = torchloader("pinned.py", "--verify", "--start-methods=spawn", "--json", "o.json")

    assert run.returncode == 0
    assert "REFUTED\n      spawn: " in run.stdout
    written = json.loads(Path("o.json").read_text("ascii"))
    assert [finding["verdict"]["outcome"] for finding in written["findings"]] == ["refuted"]
    control, spawn = written["programs"][0]["runs"]
    assert (control["trial"], spawn["trial"]) == ("control", "spawn")
    assert spawn["versions"]["torch"]
    assert {event["kind"] for event in spawn["events"]} >= {"process", "torch", "loader", "worker", "batch"}
