"""SARIF 2.1.0, as code scanning services and editors read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from flake8_torchloader import __version__
from flake8_torchloader.catalogue import page, summary
from flake8_torchloader.finding import Finding, Span
from flake8_torchloader.fingerprint import fingerprints
from flake8_torchloader.linted import Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.report.verdicts import verdict_lines
from flake8_torchloader.report.words import from_here
from flake8_torchloader.results import Results
from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules
from flake8_torchloader.verdict import Outcome, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "torchloader/v1"

Object = dict[str, object]


def document(results: Results) -> str:
    """One run, with all rules, a result for each finding and a notification for each problem."""
    rules = all_rules()
    index = {rule.code: number for number, rule in enumerate(rules)}
    told = [_rule(rule, results) for rule in rules]
    run = {
        "tool": {"driver": {"name": "torchloader", "version": __version__, "rules": told}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not results.problems,
                "toolExecutionNotifications": [_notification(problem) for problem in results.problems],
            }
        ],
        "results": list(_results(results, index)),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(rule: type[Rule], results: Results) -> Object:
    sections, address = page(rule), results.page(rule.code)
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": summary(rule)},
        "fullDescription": {"text": " ".join(sections["What goes wrong"].split())},
        **({"helpUri": address} if address else {}),
        "help": {"text": f"Use instead:\n\n{sections['Use instead']}"},
        "defaultConfiguration": {"enabled": not rule.is_opt_in, "level": "warning" if rule.is_opt_in else "error"},
        "properties": {"startMethods": sorted(method.value for method in rule.methods)},
    }


def _notification(problem: Problem) -> Object:
    return {
        "level": "error",
        "message": {"text": problem.reason},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(problem.path)}}}],
    }


def _results(results: Results, index: dict[str, int]) -> Iterator[Object]:
    levels = {rule.code: "warning" if rule.is_opt_in else "error" for rule in all_rules()}
    for file in results.files:
        for finding, fingerprint in fingerprints(file):
            verdict = results.verdict(file, finding)
            is_refuted = verdict is not None and verdict.outcome is Outcome.REFUTED
            lines = verdict_lines(verdict) if verdict is not None else []
            yield {
                "ruleId": finding.code,
                "ruleIndex": index[finding.code],
                "level": "note" if is_refuted else levels[finding.code],
                "message": {"text": "\n".join([finding.message, *lines])},
                "locations": [_location(file, finding.span)],
                "relatedLocations": list(_related(file, finding)),
                "partialFingerprints": {FINGERPRINT: fingerprint.digest},
                "properties": _properties(finding, verdict),
            }


def _related(file: Linted, finding: Finding) -> Iterator[Object]:
    places = [(note.text, _location(file, note.span)) for note in finding.notes]
    for one in finding.elsewhere:
        place = {"artifactLocation": {"uri": _uri(from_here(one.path))}, "region": {"startLine": one.line}}
        places.append((one.text, {"physicalLocation": place}))
    yield from ({"id": number, "message": {"text": text}, **place} for number, (text, place) in enumerate(places))


def _properties(finding: Finding, verdict: Verdict | None) -> Object:
    methods: Object = {"startMethods": sorted(method.value for method in finding.methods)}
    return methods if verdict is None else {**methods, "verdict": verdict.outcome.value}


def _location(file: Linted, span: Span) -> Object:
    """A stretch of a file; of a notebook SARIF knows no cells, so theirs are told by their name."""
    place: Object = {"artifactLocation": {"uri": _uri(file.path)}, "region": _region(file, span)}
    if not file.cells:
        return {"physicalLocation": place}
    cell = file.place(span.line)
    name = f"{cell}:{span.column + 1}"
    return {"physicalLocation": place, "logicalLocations": [{"name": name, "kind": "cell"}]}


def _region(file: Linted, span: Span) -> Object:
    if file.cells:
        return {"startLine": 1}
    return {
        "startLine": span.line,
        "startColumn": span.column + 1,
        "endLine": max(span.line, span.end_line),
        "endColumn": span.end_column + 1,
    }


def _uri(path: Path) -> str:
    """The path as a reference that is relative if the path is."""
    name = quote(path.as_posix().encode(errors="surrogateescape"))
    return f"file://{name}" if path.is_absolute() else name
