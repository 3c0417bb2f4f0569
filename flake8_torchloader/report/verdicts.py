"""The words that the reports share about what running proved: verdicts, and what they rest on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from flake8_torchloader.running.program import Entry, Program
from flake8_torchloader.trial import Blocked, Run, Trial
from flake8_torchloader.verdict import Evidence, Outcome, Verdict

if TYPE_CHECKING:
    from flake8_torchloader.verifying import Step, Verification

_TRIAL_NAMES = {Trial.CONTROL: "without workers", Trial.REIMPORT: "imported again"}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONGEST_BRIEF = 120
_INDENT = "    "


def program_title(program: Program) -> str:
    """The program as its user knows it: the path of its script, or the name of its entry."""
    return program.start.name if isinstance(program.start, Entry) else str(program.start.path)


def trial_name(trial: Trial) -> str:
    """What distinguishes a trial, in words."""
    return _TRIAL_NAMES.get(trial, trial.value)


def step_line(step: Step) -> str:
    """Which trial of which program begins, and how long it may take."""
    where = f"{program_title(step.program)}: {trial_name(step.trial)}"
    return f"{where} ({step.number} of {step.steps}, at most {step.seconds:g} s)"


def verdict_lines(verdict: Verdict) -> list[str]:
    """The outcome with its reason, and the evidence below it, all indented."""
    reason = f": {verdict.reason.value}" if verdict.reason else ""
    return [f"{_INDENT}{verdict.outcome.name}{reason}", *map(_indented, _evidence_lines(verdict.evidence))]


def brief(verdict: Verdict) -> str:
    """The verdict on one short line: `CONFIRMED: spawn: AttributeError: Can't pickle ...`."""
    words = [verdict.reason.value] if verdict.reason else list(_evidence_lines(verdict.evidence))[:1]
    line = " ".join(": ".join([verdict.outcome.name, *words]).split())
    return line if len(line) <= _LONGEST_BRIEF else f"{line[: _LONGEST_BRIEF - 1]}…"


def obstacle_lines(verification: Verification) -> list[str]:
    """Where something stays unknown, what kept the program from running to its end."""
    if all(proof.verdict.outcome is not Outcome.UNKNOWN for proof in verification.proofs):
        return []
    title = program_title(verification.program)
    obstacles = [Evidence(run.trial, text) for run in verification.runs.values() for text in _obstacles(run)]
    return [f"{title}: {line}" for line in _evidence_lines(obstacles)]


def summary(verifications: Sequence[Verification]) -> str:
    """How many findings ended in which outcome, and what the programs ran with."""
    outcomes = Counter(proof.verdict.outcome for one in verifications for proof in one.proofs)
    counts = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome)
    runs = [run for verification in verifications for run in verification.runs.values()]
    conditions = ", ".join(sorted({_conditions(run) for run in runs if run.is_watched}))
    return f"{counts} ({conditions})" if conditions else counts


def _evidence_lines(evidence: Iterable[Evidence]) -> Iterator[str]:
    """Each text once, after the names of the trials that it comes from; addresses of objects are left out."""
    trials: dict[str, dict[str, None]] = {}
    for one in evidence:
        trials.setdefault(_ADDRESS.sub("", one.text), {})[trial_name(one.trial)] = None
    yield from (f"{', '.join(names)}: {text}" for text, names in trials.items())


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}  {line}" for line in text.splitlines())


def _obstacles(run: Run) -> Iterator[str]:
    """What kept a program from running to its end: its own error, what it asked for, and the wall."""
    yield from filter(None, [run.error, run.arguments_error])
    if run.crash is not None and not run.crash.type.endswith("Blocked"):
        yield f"{run.crash.headline}{f' at {run.crash.site}' if run.crash.site else ''}"
    yield from dict.fromkeys(map(_blocked_line, run.blocked))


def _blocked_line(blocked: Blocked) -> str:
    where = f" at {blocked.site}" if blocked.site else ""
    return f"the wall refused {blocked.call} of {blocked.target}{where}; {blocked.flag} allows it"


def _conditions(run: Run) -> str:
    torch = f"torch {run.versions.torch}" if run.versions.torch else "no torch"
    return f"Python {run.versions.python}, {torch}, {run.cpus} CPUs"
