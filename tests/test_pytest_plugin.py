"""The pytest door: findings as tests, and the fixture `torchloader`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from made_runs import made_failure, made_pass, made_run
from running_room import needs_torch

from flake8_torchloader.running.program import Entry, Limits, Program
from flake8_torchloader.safety import judge_loaders
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Evidence, Outcome, Reason, Verdict
from flake8_torchloader.verifying import Case, Proof, Verification

pytest_plugins = "pytester"

LAMBDAS = """\
from torch.utils.data import DataLoader


def one():
    return DataLoader([1], collate_fn=lambda batch: batch, num_workers=2)


def two():
    return DataLoader([1], collate_fn=lambda batch: batch, num_workers=2)


def three():
    return DataLoader([1], collate_fn=lambda batch: batch, num_workers=2)
"""
VERDICTS = {
    5: Verdict(Outcome.CONFIRMED, (Evidence(Trial.SPAWN, "no such luck"),)),
    9: Verdict(Outcome.REFUTED),
    13: Verdict(Outcome.UNKNOWN, reason=Reason.NEVER_REACHED),
}


@pytest.fixture
def proved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Case, Limits]]:
    """A file with three findings, and what was verified instead of running it."""
    pytester.makepyfile(train=LAMBDAS)
    asked: list[tuple[Case, Limits]] = []

    def verify(case: Case, settings: Settings, limits: Limits) -> Verification:
        asked.append((case, limits))
        (file,) = case.files
        proofs = [Proof(file.path, finding, VERDICTS[finding.span.line], ()) for finding in file.findings]
        return Verification(case.program, limits, {}, tuple(proofs))

    monkeypatch.setattr("flake8_torchloader.verifying.verify", verify)
    return asked


def test_there_is_one_test_for_each_finding(pytester: pytest.Pytester, proved: list[tuple[Case, Limits]]) -> None:
    result = pytester.runpytest_inprocess("--torchloader", "train.py", "--torchloader-timeout=7", "-v", "-rs")

    result.assert_outcomes(failed=1, passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*collected 3 items",
            "train.py::TLD201:5:39 FAILED*",
            "train.py::TLD201:9:39 PASSED*",
            "train.py::TLD201:13:39 SKIPPED*",
            "train.py:5:39: TLD201 lambda in collate_fn*",
            "    CONFIRMED",
            "      spawn: no such luck",
            f"SKIPPED * train.py:13:39: TLD201: {Reason.NEVER_REACHED.value}",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    ((case, limits),) = proved
    assert case.program.cwd == pytester.path
    assert case.program.python == Path(sys.executable)
    assert limits == Limits(seconds=7)


def test_other_tests_run_beside_them(pytester: pytest.Pytester, proved: list[tuple[Case, Limits]]) -> None:
    pytester.makepyfile(test_own="def test_own():\n    pass\n")

    pytester.runpytest_inprocess("--torchloader=.").assert_outcomes(failed=1, passed=2, skipped=1)
    pytester.runpytest_inprocess("--torchloader=.", "-m", "torchloader", "--strict-markers").assert_outcomes(
        failed=1, passed=1, skipped=1, deselected=1
    )


def test_to_collect_is_not_to_run(pytester: pytest.Pytester, proved: list[tuple[Case, Limits]]) -> None:
    result = pytester.runpytest_inprocess("--torchloader", "train.py", "--collect-only", "-q")

    assert [line for line in result.outlines if "::" in line][0] == "train.py::TLD201:5:39"
    assert proved == []


def test_without_the_option_nothing_happens(pytester: pytest.Pytester, proved: list[tuple[Case, Limits]]) -> None:
    pytester.makepyfile(
        test_own="""
        import sys

        def test_own():
            assert not {"torch", "libcst"} & {*sys.modules}
        """
    )

    pytester.runpytest_subprocess("--strict-markers", "-W", "error").assert_outcomes(passed=1)
    assert proved == []


def test_a_path_that_is_not_there_is_a_usage_error(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--torchloader", "absent.py")

    assert result.ret is pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --torchloader: *absent.py: No such file or directory"])


def test_the_door_itself_imports_nothing_of_ours() -> None:
    program = (
        "import sys, flake8_torchloader.pytest_plugin; "
        "print(sorted(name for name in sys.modules if name.startswith(('flake8', 'torch', 'libcst', 'rich'))))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert run.stdout == "['flake8_torchloader', 'flake8_torchloader.pytest_plugin']\n"


@pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_findings_are_spread_over_processes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(train=LAMBDAS)
    result = pytester.runpytest_subprocess("--torchloader", "train.py", "-n2", "--dist=loadgroup", "--strict-markers")

    result.assert_outcomes(skipped=3)


CHECK = """
    def test_loader(torchloader):
        torchloader.check("data:make", workers=3, start_methods=["spawn"], timeout=9)
"""


@pytest.fixture
def runs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Program, Limits]]:
    """A test that checks a loader, and what was run for it: programs that break under spawn."""
    pytester.makepyfile(CHECK)
    asked: list[tuple[Program, Limits]] = []

    def check(program: Program, limits: Limits, methods: frozenset[StartMethod]) -> Verdict:
        asked.append((program, limits))
        assert methods == {StartMethod.SPAWN}
        return judge_loaders({trial: RUNS[trial] for trial in (Trial.CONTROL, Trial.SPAWN)})

    monkeypatch.setattr("flake8_torchloader.safety.check_loaders", check)
    return asked


RUNS: dict[Trial, Run] = {}
NO_TORCH = made_failure("ModuleNotFoundError", "No module named 'torch'")


@pytest.mark.parametrize(
    ("control", "spawn", "outcome"),
    [
        ({}, {}, "passed"),
        ({}, {"ending": Ending.CRASHED, "crash": made_failure("PicklingError", "no")}, "failed"),
        ({}, {"passes": ()}, "failed"),
        ({"passes": ()}, {}, "failed"),
        ({"ending": Ending.CRASHED, "crash": NO_TORCH}, {}, "skipped"),
    ],
    ids=["lives", "breaks", "has no workers", "never reached", "no torch"],
)
def test_a_loader_is_checked(
    pytester: pytest.Pytester,
    runs: list[tuple[Program, Limits]],
    monkeypatch: pytest.MonkeyPatch,
    control: dict[str, object],
    spawn: dict[str, object],
    outcome: str,
) -> None:
    for trial, given in ((Trial.CONTROL, control), (Trial.SPAWN, spawn)):
        monkeypatch.setitem(RUNS, trial, made_run(trial, **{"passes": (made_pass(trial),), **given}))

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(**{outcome: 1})
    ((program, limits),) = runs
    assert program == Program(Entry("data:make", 3), Path(sys.executable), pytester.path)
    assert limits == Limits(seconds=9)


def test_a_broken_loader_fails_with_evidence(
    pytester: pytest.Pytester, runs: list[tuple[Program, Limits]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RUNS, Trial.CONTROL, made_run(Trial.CONTROL, passes=(made_pass(Trial.CONTROL),)))
    broken = made_run(Trial.SPAWN, ending=Ending.CRASHED, crash=made_failure("PicklingError", "no"))
    monkeypatch.setitem(RUNS, Trial.SPAWN, broken)

    result = pytester.runpytest_inprocess()

    result.stdout.fnmatch_lines(["data:make", "    CONFIRMED", "      spawn: PicklingError: no"])


@needs_torch
def test_real_workers_check_a_loader(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        data="""
        from torch.utils.data import DataLoader

        def make():
            return [DataLoader(range(4), num_workers=1), DataLoader([lambda: 0] * 4, batch_size=None, num_workers=1)]
        """,
        test_data="""
        def test_loader(torchloader):
            torchloader.check("data:make", start_methods=["spawn"], timeout=120)
        """,
    )
    result = pytester.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["      spawn: dataset*can't be pickled: *<lambda>* at *data.py:4"])
