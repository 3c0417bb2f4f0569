"""Records that are cut off, empty or full of rubbish still give a run; and the parts that need no program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flake8_torchloader.observed import Stage
from flake8_torchloader.running.gather import gather
from flake8_torchloader.running.job import EVENTS, STDERR, Report
from flake8_torchloader.running.output import Output, read_output
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Verdict, why_unreached

FINISHED = Report(status=0, seconds=1.0)
NO_EVENTS = ("{", "[]", "null", '{"kind": "x"}', '{"kind": "x", "pid": "y", "time": 0}')
RUBBISH = ("", *NO_EVENTS, "\x00" * 50, "[" * 100_000)
KINDS = """
    process torch module main_again loader loader_refused model worker unpicklable samples fetch_entered first_fetch
    fetched fetch_failed init_failed blocked uncaught payload unsent pass_entered pass_started batch
    pass_failed pass_ended capped needs_arguments probe_failed cuda_asked
    """.split()
NAMES = """
    pass site failure pids generators handles models digests indices devices seconds attributes attributes_before
    definition method context bytes exit_codes path command parent worker epoch error call cuda cuda_allocations
    """.split()


def line(kind: str, pid: int = 1, /, **fields: object) -> str:
    """A line as a process writes it."""
    return json.dumps({"kind": kind, "pid": pid, "time": 0.5, **fields})


def gathered(folder: Path, *lines: str, report: Report = FINISHED) -> Run:
    """The run that these lines make."""
    (folder / EVENTS).write_text("\n".join(lines))
    return gather(folder, Trial.FORK, report)


def test_an_empty_folder_is_an_unwatched_run(tmp_path: Path) -> None:
    run = gather(tmp_path, Trial.FORK, FINISHED)
    assert not run.is_watched and run.events == () and why_unreached(run) is Reason.NOT_WATCHED


@pytest.mark.parametrize("rubbish", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_between_the_lines_is_counted_and_passed_over(tmp_path: Path, rubbish: str) -> None:
    run = gathered(tmp_path, line("process"), rubbish, line("module", path="/a.py"))
    assert run.unreadable_lines == 1 and [one.path for one in run.executions] == ["/a.py"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [None, 7, "text", [1, "a", {}], {"a": 1}], ids=repr)
def test_fields_of_another_type_read_as_empty(tmp_path: Path, kind: str, value: object) -> None:
    run = gathered(tmp_path, line("process"), line(kind, 1, **dict.fromkeys(NAMES, value)))
    assert run.unreadable_lines == 0 and len(run.events) == 2


def test_a_pass_tells_how_far_it_came(tmp_path: Path) -> None:
    told = [line(kind, **{"pass": 0}, pids=[5]) for kind in ("pass_entered", "pass_started", "batch")]
    stages = [gathered(tmp_path, line("process"), *told[: count + 1]).passes[0].stage for count in range(3)]
    assert stages == [Stage.ENTERED, Stage.STARTED, Stage.BATCHED]


def test_a_program_that_stumbles_over_our_cut_was_capped(tmp_path: Path) -> None:
    cut = line("pass_ended", **{"pass": 0}, cut=True)
    crash = line("uncaught", type="RuntimeError", text="generator raised StopIteration")
    assert gathered(tmp_path, line("process"), cut, crash, report=Report(1, 1.0)).ending is Ending.CAPPED
    assert gathered(tmp_path, line("process"), crash, report=Report(1, 1.0)).ending is Ending.CRASHED


def test_long_output_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    output = Output(tmp_path / STDERR)
    with output.open() as file:
        file.write(b"begin" + b"x" * (9 << 20))
        file.flush()
        output.bound()
        file.write(b"end")
    text = read_output(tmp_path / STDERR)
    assert text.startswith("begin") and text.endswith("end") and len(text) < 200_000


def test_only_unknown_has_a_reason() -> None:
    with pytest.raises(ValueError):
        Verdict(Outcome.UNKNOWN)
    with pytest.raises(ValueError):
        Verdict(Outcome.REFUTED, (), Reason.NO_CUDA)
