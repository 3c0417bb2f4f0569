"""Workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_torchloader.finding import Finding
from flake8_torchloader.linted import Linted
from flake8_torchloader.report.verdicts import verdict_lines
from flake8_torchloader.report.words import elsewhere_lines, position
from flake8_torchloader.results import Results
from flake8_torchloader.rules import all_rules
from flake8_torchloader.verdict import Outcome


def document(results: Results) -> str:
    """A command for each finding and for each thing that could not be done.

    GitHub shows no place inside of a notebook: what is found there stands at its first line.
    """
    opt_in = {rule.code for rule in all_rules() if rule.is_opt_in}
    lines = [_command(results, file, finding, opt_in) for file, finding in results]
    lines += [f"::error file={_value(str(one.path))}::{_text(str(one))}" for one in results.problems]
    return "".join(f"{line}\n" for line in lines)


def _command(results: Results, file: Linted, finding: Finding, opt_in: set[str]) -> str:
    verdict = results.verdict(file, finding)
    is_refuted = verdict is not None and verdict.outcome is Outcome.REFUTED
    level = "notice" if is_refuted else "warning" if finding.code in opt_in else "error"
    where = f"{file.path}:{position(finding, file.cells)}"
    proved = verdict_lines(verdict) if verdict is not None else []
    text = [f"{where}: {finding.code} {finding.message}", *elsewhere_lines(finding), *proved]
    properties = {"title": f"torchloader ({finding.code})", "file": str(file.path), **dict(_lines(file, finding))}
    named = ",".join(f"{name}={_value(value)}" for name, value in properties.items())
    return f"::{level} {named}::{_text(chr(10).join(text))}"


def _lines(file: Linted, finding: Finding) -> Iterator[tuple[str, str]]:
    span = finding.span
    if file.cells:
        yield "line", "1"
        return
    yield "line", str(span.line)
    yield "endLine", str(max(span.line, span.end_line))
    if span.line == span.end_line:
        yield "col", str(span.column + 1)
        yield "endColumn", str(max(span.end_column, span.column + 1))


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
