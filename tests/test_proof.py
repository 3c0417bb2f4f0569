"""The standing proof that the rules are true: real workers do to each program what its marks say.

Each mark of a `bad_` program is CONFIRMED. In a `good_` program the rule of its folder is judged on the first loader
that the program builds, as if it had been reported, and is REFUTED. `# verdict: unknown why` stands in a program of
which a run can't tell. `# needs: cuda` stands in one that takes a CUDA device, `# needs: pandas` in one that takes that
package: where there is none, its verdicts are UNKNOWN for that reason. The trials are those that the rules in question
ask for; REIMPORT only where the others leave a finding undecided. Two batches are enough for what the rules claim.

To be quick, several programs run at a time, and what they are run by has imported torch beforehand (`preloaded.py`).
PROOF_STARTS_AFRESH=1 in the environment starts each as a user's `--verify` would. 285 programs took 22 minutes
on 2 cores that had other work to do as well. If all start afresh it is about twice as much.
PROOF_RECORD=docs/proofs.json puts into that file what was proved of each program, as soon as it is.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from preloaded import Preloaded
from proof_record import Record
from test_fixtures import FIXTURES, code_of, findings, identifier, is_bad, parts, read
from test_fixtures import PROGRAMS as ALL_PROGRAMS

from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules
from flake8_torchloader.running.launch import run
from flake8_torchloader.running.program import Limits, Program, Script
from flake8_torchloader.settings import Settings
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Outcome, Reason, Suspect, Verdict

NEEDED = ("torch", "numpy", "cv2", "h5py")
ABSENT = [name for name in NEEDED if find_spec(name) is None]
UNKNOWN = re.compile(r"^# verdict: unknown \S", re.MULTILINE)
NEEDS = re.compile(r"^# needs: (\w+)$", re.MULTILINE)
STARTS_AFRESH = bool(os.environ.get("PROOF_STARTS_AFRESH"))
LIMITS = Limits(seconds=120, batches=2, epochs=3)
NOT_TRIED = {Reason.NO_WORKERS, Reason.NEVER_REACHED, Reason.NOT_SHOWN}
"""Why a program that shows nothing wrong may leave a rule without a verdict."""

pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {', '.join(ABSENT)}"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="programs are run on Linux only"),
]
RULES = {rule.code: rule(Settings()) for rule in all_rules()}


def rule_of(path: Path) -> Rule:
    """The rule that the folder of a program is about."""
    return RULES[code_of(path)]


PROGRAMS = [path for path in ALL_PROGRAMS if is_bad(path) or rule_of(path).trials]
"""All but the good ones of a rule that nothing can be run for."""

RECORDED_IN = os.environ.get("PROOF_RECORD")
RECORD = Record(Path(RECORDED_IN), frozenset(map(identifier, PROGRAMS)), FIXTURES) if RECORDED_IN else None

Runner = Callable[[Program, Trial], Run]


@dataclass
class Proof:
    """The runs of a program, and the verdict on each suspected line of it; `path` is the file that is run."""

    path: Path
    runs: dict[Trial, Run] = field(default_factory=dict)
    verdicts: dict[tuple[str, str, int], Verdict] = field(default_factory=dict)

    def carry_out(self, runner: Runner) -> Proof:
        """Run the program under the trials that it takes, and let the rules judge."""
        rules = {rule_of(self.path), *(RULES[finding.code] for file in parts(self.path) for finding in findings(file))}
        trials = [trial for trial in Trial if any(trial in rule.trials for rule in rules)]
        self.judge()
        for trial in trials:
            if trial is Trial.REIMPORT and not self.is_undecided:
                continue
            self.runs[trial] = runner(Program(Script(self.path), Path(sys.executable), self.path.parent), trial)
            self.judge()
        return self

    def judge(self) -> None:
        """Let the rules judge what has been run so far."""
        self.verdicts = {(rule.code, at.file, at.line): rule.judge(self.runs, at) for rule, at in self.suspects()}

    @property
    def lack(self) -> Reason | None:
        """Why nothing can be told here of a program that takes a CUDA device or a package."""
        needs = set(NEEDS.findall(read(self.path)))
        if "cuda" in needs and not any(run.versions.cuda_devices for run in self.runs.values()):
            return Reason.NO_CUDA
        return Reason.MISSING_PACKAGE if any(find_spec(name) is None for name in needs - {"cuda"}) else None

    @property
    def is_undecided(self) -> bool:
        return any(verdict.outcome is Outcome.UNKNOWN for verdict in self.verdicts.values())

    def suspects(self) -> Iterator[tuple[Rule, Suspect]]:
        """What a bad program is reported for; of a good one the line of its first loader."""
        if not is_bad(self.path):
            file = str(self.path.resolve())
            control = self.runs.get(Trial.CONTROL)
            loaders = control.loaders if control is not None else ()
            lines = [[site.line for site in one.way if site.file == file] for one in loaders]
            yield rule_of(self.path), Suspect(file, next((line[-1] for line in lines if line), 0))
        for part in parts(self.path):
            for finding in findings(part):
                yield RULES[finding.code], Suspect.of(str(part.resolve()), finding)

    def __str__(self) -> str:
        verdicts = [f"{code} at {file}:{line}: {verdict}" for (code, file, line), verdict in self.verdicts.items()]
        runs = [f"{trial.value}: {one.ending.value} after {one.seconds:.1f} s" for trial, one in self.runs.items()]
        said = [line for one in self.runs.values() for line in one.text.splitlines()[-20:]]
        return "\n".join([identifier(self.path), *verdicts, *runs, *said])


@pytest.fixture(scope="module")
def proofs(request: pytest.FixtureRequest) -> Iterator[dict[Path, Future[Proof]]]:
    """The proofs that were asked for, made several at a time."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    paths = [path for item in chosen if isinstance(path := item.callspec.params["path"], Path)]
    started: list[Preloaded] = []
    local = threading.local()

    def begin() -> None:
        local.preloaded = Preloaded()
        started.append(local.preloaded)

    def runner(program: Program, trial: Trial) -> Run:
        return run(program, trial, LIMITS, None if STARTS_AFRESH else local.preloaded.supervise)

    def prove(path: Path) -> Proof:
        proof = Proof(path).carry_out(runner)
        if RECORD is not None:
            RECORD.put(identifier(path), proof.verdicts, proof.runs.values())
        return proof

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), initializer=None if STARTS_AFRESH else begin) as pool:
        yield {path: pool.submit(prove, path) for path in dict.fromkeys(paths)}
        pool.shutdown(cancel_futures=True)
    for preloaded in started:
        preloaded.close()


@pytest.mark.parametrize("path", PROGRAMS, ids=identifier)
def test_real_workers_say_what_the_marks_say(path: Path, proofs: dict[Path, Future[Proof]]) -> None:
    proof = proofs[path].result()
    outcomes = {verdict.outcome for verdict in proof.verdicts.values()}
    is_good = not is_bad(path)

    if UNKNOWN.search(read(path)):
        reasons = {verdict.reason for verdict in proof.verdicts.values()}
        assert outcomes == {Outcome.UNKNOWN} and (not is_good or reasons <= NOT_TRIED), str(proof)
    elif proof.lack is not None:
        assert {verdict.reason for verdict in proof.verdicts.values()} == {proof.lack}, str(proof)
    else:
        assert outcomes == {Outcome.REFUTED if is_good else Outcome.CONFIRMED}, str(proof)
        assert all(verdict.evidence for verdict in proof.verdicts.values())
    assert not any(run.failed_probes for run in proof.runs.values()), str(proof)
