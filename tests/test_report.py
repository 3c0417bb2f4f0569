"""The words: what a person reads, and the shape of what another program reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from made_runs import made_failure, made_run

from flake8_torchloader.finding import Finding, Note, Span
from flake8_torchloader.linted import Linted
from flake8_torchloader.noqa import Unused
from flake8_torchloader.observed import Site
from flake8_torchloader.problem import Problem
from flake8_torchloader.report import concise
from flake8_torchloader.report.json import SCHEMA_VERSION, document
from flake8_torchloader.report.verdicts import brief, step_line, summary
from flake8_torchloader.results import Results
from flake8_torchloader.running.program import Entry, Limits, Program, Script
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Blocked, Ending, Event, Run, Trial
from flake8_torchloader.verdict import (
    Evidence,
    Reason,
    Verdict,
    confirmed,
    refuted,
    unknown,
)
from flake8_torchloader.verifying import Proof, Step, Verification

SCHEMA_OF_VERSION_1 = """\
findings[].cell
findings[].code
findings[].column
findings[].end_column
findings[].end_line
findings[].fingerprint
findings[].line
findings[].message
findings[].notes[].cell
findings[].notes[].column
findings[].notes[].end_column
findings[].notes[].end_line
findings[].notes[].line
findings[].notes[].text
findings[].page
findings[].path
findings[].program
findings[].start_methods[]
findings[].verdict.evidence[].text
findings[].verdict.evidence[].trial
findings[].verdict.explanation
findings[].verdict.outcome
findings[].verdict.reason
findings[].verdict.trials[]
options.follow_depth
options.follow_files
options.large_array
options.start_methods[]
options.verify
problems[].path
problems[].reason
programs[].arguments[]
programs[].cwd
programs[].limits.allow_network
programs[].limits.allow_write
programs[].limits.batches
programs[].limits.epochs
programs[].limits.seconds
programs[].python
programs[].runs[].blocked[].call
programs[].runs[].blocked[].flag
programs[].runs[].blocked[].pid
programs[].runs[].blocked[].site.file
programs[].runs[].blocked[].site.function
programs[].runs[].blocked[].site.line
programs[].runs[].blocked[].target
programs[].runs[].child_failures[]
programs[].runs[].cpus
programs[].runs[].crash.cause
programs[].runs[].crash.headline
programs[].runs[].crash.pid
programs[].runs[].crash.sites[].file
programs[].runs[].crash.sites[].function
programs[].runs[].crash.sites[].line
programs[].runs[].crash.text
programs[].runs[].crash.type
programs[].runs[].ending
programs[].runs[].error
programs[].runs[].events[].fields.how
programs[].runs[].events[].kind
programs[].runs[].events[].pid
programs[].runs[].events[].seconds
programs[].runs[].failed_probes[]
programs[].runs[].main
programs[].runs[].seconds
programs[].runs[].start_method
programs[].runs[].status
programs[].runs[].stderr
programs[].runs[].survivors
programs[].runs[].trial
programs[].runs[].unreadable_lines
programs[].runs[].versions.cuda
programs[].runs[].versions.cuda_devices
programs[].runs[].versions.python
programs[].runs[].versions.torch
programs[].script
schema
schema_version
tool.name
tool.version
unused_noqa[].cell
unused_noqa[].code
unused_noqa[].column
unused_noqa[].end_column
unused_noqa[].end_line
unused_noqa[].line
unused_noqa[].path
"""
"""Every field of the document; to take one away or rename it takes a new version."""

PATH = Path("train.py")
FINDING = Finding(
    Span(4, 2, 4, 9), "TLD201", "goes wrong", (Note(Span(9, 0, 9, 4), "here"),), frozenset({StartMethod.SPAWN})
)
LINE = "train.py:4:3: TLD201 goes wrong"
BLOCKED = Blocked(100, "open", "/data/log", "--allow-write", Site("/p/train.py", 3))
CRASH = made_failure("ValueError", "odd\n\nmore", Site("/p/train.py", 8))
SCRIPT = Program(Script(PATH, ("--fast",)), Path("/usr/bin/python3"), Path("/"))


def proof(verdict: Verdict) -> Proof:
    return Proof(PATH, FINDING, verdict, (Trial.CONTROL, Trial.SPAWN))


def verification(verdict: Verdict, *runs: Run, program: Program = SCRIPT) -> Verification:
    return Verification(program, Limits(), {run.trial: run for run in runs}, (proof(verdict),))


def told(verification: Verification) -> list[str]:
    """What a person is told about a program with one finding."""
    return concise.findings(Results(files=(Linted(PATH, (FINDING,)),), verifications=(verification,))).splitlines()


def test_evidence_stands_below_its_finding_once_for_all_trials_that_gave_it() -> None:
    same = [Evidence(trial, f"no <lambda> at 0x7f{trial.value.encode().hex()}") for trial in (Trial.FORK, Trial.SPAWN)]
    verdict = confirmed(*same, Evidence(Trial.REIMPORT, "two\nlines"), Evidence(Trial.CONTROL, "runs"))

    assert told(verification(verdict)) == [
        LINE,
        "    CONFIRMED",
        "      fork, spawn: no <lambda>",
        "      imported again: two",
        "      lines",
        "      without workers: runs",
    ]


def test_an_unknown_says_why() -> None:
    assert told(verification(unknown(Reason.NO_CUDA))) == [LINE, f"    UNKNOWN: {Reason.NO_CUDA.value}"]


def test_an_unknown_is_followed_by_what_kept_the_program_from_running() -> None:
    given = {"ending": Ending.CRASHED, "crash": CRASH, "blocked": (BLOCKED,)}
    runs = [made_run(trial, **given) for trial in (Trial.FORK, Trial.SPAWN)]

    assert told(verification(unknown(Reason.BLOCKED), *runs))[2:] == [
        "train.py: fork, spawn: ValueError: odd at /p/train.py:8",
        "train.py: fork, spawn: the wall refused open of /data/log at /p/train.py:3; --allow-write allows it",
    ]
    assert len(told(verification(confirmed(), *runs))) == 2


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (confirmed(Evidence(Trial.SPAWN, "a  b\nc"), Evidence(Trial.FORK, "d")), "CONFIRMED: spawn: a b c"),
        (refuted(), "REFUTED"),
        (unknown(Reason.NO_CUDA, Evidence(Trial.SPAWN, "a")), f"UNKNOWN: {Reason.NO_CUDA.value}"),
        (confirmed(Evidence(Trial.SPAWN, "x" * 200)), f"CONFIRMED: spawn: {'x' * 101}…"),
    ],
    ids=["confirmed", "refuted", "unknown", "long"],
)
def test_a_brief_verdict_is_one_short_line(verdict: Verdict, words: str) -> None:
    assert brief(verdict) == words


def test_a_step_says_what_is_run_and_how_long_it_may_take() -> None:
    entry = Program(Entry("data:make"), Path("python"), Path("/"))

    assert step_line(Step(SCRIPT, Trial.CONTROL, 1, 4, 60.0)) == "train.py: without workers (1 of 4, at most 60 s)"
    assert step_line(Step(entry, Trial.SPAWN, 2, 4, 0.5)) == "data:make: spawn (2 of 4, at most 0.5 s)"


def test_the_summary_counts_outcomes_and_names_what_was_run_with() -> None:
    found = [verification(confirmed(), made_run(Trial.FORK)), verification(refuted()), verification(refuted())]

    assert summary(found) == "1 confirmed, 2 refuted, 0 unknown (Python 3.11.7, torch 2.13.0, 2 CPUs)"
    assert summary(found[1:]) == "0 confirmed, 2 refuted, 0 unknown"


def read(*verifications: Verification, verify: bool = True, finding: Finding = FINDING) -> Any:
    file = Linted(PATH, (finding,), unused=(Unused(Span(7, 1, 7, 4), "TLD301"),))
    problems = (Problem(Path("no.py"), "is gone"),)
    proved = verifications if verify else None
    return json.loads(document(Results(files=(file,), problems=problems, verifications=proved)))


def paths(value: object, name: str = "") -> Iterator[str]:
    """The name of every field in a document."""
    match value:
        case Mapping():
            for key, item in value.items():
                yield from paths(item, f"{name}.{key}" if name else key)
        case list():
            found = {path for item in value for path in paths(item, f"{name}[]")}
            yield from found or [f"{name}[]"]
        case _:
            yield name


def test_the_schema_is_that_of_its_version() -> None:
    run = made_run(Trial.SPAWN, ending=Ending.CRASHED, crash=CRASH, blocked=(BLOCKED,))
    found = read(verification(unknown(Reason.BLOCKED, Evidence(Trial.SPAWN, "a")), run))

    assert SCHEMA_VERSION == 1
    assert sorted(set(paths(found))) == SCHEMA_OF_VERSION_1.splitlines()


def test_a_verdict_leads_to_the_events_behind_it() -> None:
    other = verification(refuted(), program=Program(Entry("data:make", 3), Path("python"), Path("/")))
    run = made_run(Trial.SPAWN, ending=Ending.CRASHED, crash=CRASH)
    found = read(verification(confirmed(Evidence(Trial.SPAWN, "it broke")), run))["findings"][0]

    assert (found["path"], found["line"], found["column"], found["start_methods"]) == ("train.py", 4, 2, ["spawn"])
    assert found["program"] == 0
    assert found["verdict"] == {
        "outcome": "confirmed",
        "reason": None,
        "explanation": None,
        "evidence": [{"trial": "spawn", "text": "it broke"}],
        "trials": ["control", "spawn"],
    }
    assert read(other)["programs"][0]["entry"] == "data:make"


def test_without_verifying_there_is_no_program_and_no_verdict() -> None:
    found = read(verify=False)

    assert (found["options"]["verify"], found["programs"]) == (False, [])
    assert (found["findings"][0]["program"], found["findings"][0]["verdict"]) == (None, None)
    assert found["problems"] == [{"path": "no.py", "reason": "is gone"}]


def test_whatever_a_program_told_becomes_valid_json() -> None:
    told = Event("odd", 1, 0.0, {"nan": float("nan"), "deep": [{"a": (float("inf"), {1})}], "lone": "\udc80"})
    found = read(verification(refuted(), made_run(Trial.SPAWN, events=(told,))))

    assert found["programs"][0]["runs"][0]["events"][0]["fields"] == {
        "nan": None,
        "deep": [{"a": [None, "{1}"]}],
        "lone": "\udc80",
    }
