"""What another program reads: everything that was found, run and proved, as JSON.

The document is an object; `schema` names its kind and `schema_version` counts its versions. Within a version fields
are only added. Lines count from 1, columns from 0; times are seconds, sizes bytes; paths of files that were linted
are as the user gave them, all others absolute. `docs/verify-json.md` describes each field.

    schema, schema_version
    tool          {name, version}
    options       {verify, start_methods, large_array, follow_depth, follow_files}
    programs      [{script | entry, arguments | workers, python, cwd, limits, runs: [run]}]
      run         {trial, start_method, ending, status, seconds, versions: {python, torch, cuda, cuda_devices}, cpus,
                   main, crash, child_failures, blocked, error, survivors, unreadable_lines, failed_probes, stderr,
                   events: [{kind, pid, seconds, fields}]}
    findings      [{path, cell, line, column, end_line, end_column, code, message, start_methods, page, fingerprint,
                   notes, program, verdict}]
      verdict     null, or {outcome, reason, explanation, evidence: [{trial, text}], trials}
    unused_noqa   [{path, cell, line, column, end_line, end_column, code}]
    problems      [{path, reason}]

`program` is the place in `programs` of the one whose runs gave the verdict; `trials` are those runs that its rule
looked at, so the events behind a verdict are `programs[program].runs[*].events` of these trials.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from flake8_torchloader import __version__
from flake8_torchloader.finding import Finding, Span
from flake8_torchloader.fingerprint import fingerprints
from flake8_torchloader.linted import Linted
from flake8_torchloader.observed import Failure
from flake8_torchloader.results import Results
from flake8_torchloader.running.program import Entry
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Run
from flake8_torchloader.verdict import Verdict
from flake8_torchloader.verifying import Proof, Verification

SCHEMA = "flake8-torchloader/findings"
SCHEMA_VERSION = 1

Object = dict[str, object]


def document(results: Results) -> str:
    """The whole of a run of the tool as one JSON document; without verifications no finding has a verdict."""
    whole = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "flake8-torchloader", "version": __version__},
        "options": _options(results.settings, is_verifying=results.verifications is not None),
        "programs": [_program(one) for one in results.verifications or ()],
        "findings": list(_findings(results)),
        "unused_noqa": [
            {"path": str(file.path), **_stretch(file, one.span), "code": one.code}
            for file in results.files
            for one in file.unused
        ],
        "problems": [{"path": str(problem.path), "reason": problem.reason} for problem in results.problems],
    }
    return json.dumps(_plain(whole), indent=1, allow_nan=False) + "\n"


def _options(settings: Settings, *, is_verifying: bool) -> Object:
    return {
        "verify": is_verifying,
        "start_methods": _names(settings.start_methods),
        "large_array": settings.large_array,
        "follow_depth": settings.follow_depth,
        "follow_files": settings.follow_files,
    }


def _program(verification: Verification) -> Object:
    program = verification.program
    start = program.start
    known_by: Object = (
        {"entry": start.name, "workers": start.workers}
        if isinstance(start, Entry)
        else {"script": str(start.path.resolve()), "arguments": list(start.arguments)}
    )
    return {
        **known_by,
        "python": str(program.python),
        "cwd": str(program.cwd.resolve()),
        "limits": asdict(verification.limits),
        "runs": [_run(run) for run in verification.runs.values()],
    }


def _run(run: Run) -> Object:
    return {
        "trial": run.trial.value,
        "start_method": run.trial.start_method.value if run.trial.start_method else None,
        "ending": run.ending.name.lower(),
        "status": run.status,
        "seconds": run.seconds,
        "versions": asdict(run.versions),
        "cpus": run.cpus,
        "main": run.main,
        "crash": _failure(run.crash) if run.crash else None,
        "child_failures": [_failure(failure) for failure in run.child_failures],
        "blocked": [asdict(blocked) for blocked in run.blocked],
        "error": run.error,
        "survivors": run.survivors,
        "unreadable_lines": run.unreadable_lines,
        "failed_probes": list(run.failed_probes),
        "stderr": run.text,
        "events": [
            {"kind": event.kind, "pid": event.pid, "seconds": event.seconds, "fields": event.fields}
            for event in run.events
        ],
    }


def _failure(failure: Failure) -> Object:
    return {"headline": failure.headline, **asdict(failure)}


def _findings(results: Results) -> Iterator[Object]:
    """Every finding in the order of the files, with the verdict that a program gave on it, if one was run."""
    proofs = {
        (proof.path, proof.finding): {"program": number, "verdict": _verdict(proof)}
        for number, verification in enumerate(results.verifications or ())
        for proof in verification.proofs
    }
    for file in results.files:
        for finding, fingerprint in fingerprints(file):
            proved = proofs.get((file.path, finding), {"program": None, "verdict": None})
            told = {"page": results.page(finding.code), "fingerprint": fingerprint.digest}
            yield {**_finding(file, finding), **told, **proved}


def _finding(file: Linted, finding: Finding) -> Object:
    return {
        "path": str(file.path),
        **_stretch(file, finding.span),
        "code": finding.code,
        "message": finding.message,
        "start_methods": _names(finding.methods),
        "notes": [{**_stretch(file, note.span), "text": note.text} for note in finding.notes],
    }


def _stretch(file: Linted, span: Span) -> Object:
    """Where it stands, in the lines of the file, or those of the cell if it is a notebook."""
    first, last = file.place(span.line), file.place(span.end_line)
    columns = {"column": span.column, "end_line": last.line, "end_column": span.end_column}
    return {"cell": first.cell, "line": first.line, **columns}


def _verdict(proof: Proof) -> Object:
    verdict: Verdict = proof.verdict
    return {
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.name.lower() if verdict.reason else None,
        "explanation": verdict.reason.value if verdict.reason else None,
        "evidence": [{"trial": evidence.trial.value, "text": evidence.text} for evidence in verdict.evidence],
        "trials": [trial.value for trial in proof.trials],
    }


def _names(methods: Iterable[StartMethod]) -> list[str]:
    return sorted(method.value for method in methods)


def _plain(value: object) -> object:
    """The value with nothing in it that JSON lacks: numbers that are none become null, what is unknown its text."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return str(value)
