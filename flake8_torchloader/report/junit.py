"""JUnit's XML, as test dashboards read it: a suite for each file, a test for each finding."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from flake8_torchloader.finding import Finding
from flake8_torchloader.linted import Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.report.verdicts import verdict_lines
from flake8_torchloader.report.words import elsewhere_lines, finding_line, position
from flake8_torchloader.results import Results
from flake8_torchloader.verdict import Outcome

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(results: Results) -> str:
    """A test fails for a finding, and passes for one that is refuted and for a file without findings."""
    root = Element("testsuites", name="torchloader")
    suites = [*(_suite(results, file) for file in results.files), *map(_broken, results.problems)]
    root.extend(suites)
    for kind in ("tests", "failures", "errors"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in suites)))
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(results: Results, file: Linted) -> Element:
    tests = [_test(results, file, finding) for finding in file.findings]
    return _suite_of(_fit(str(file.path)), tests or [Element("testcase", name="torchloader")])


def _suite_of(name: str, tests: list[Element]) -> Element:
    suite = Element("testsuite", name=name, tests=str(len(tests)))
    for kind, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(kind, str(sum(test.find(tag) is not None for test in tests)))
    for test in tests:
        test.set("classname", name)
        test.set("time", "0")
    suite.extend(tests)
    return suite


def _test(results: Results, file: Linted, finding: Finding) -> Element:
    verdict = results.verdict(file, finding)
    line = finding_line(file.path, finding, file.cells)
    proved = verdict_lines(verdict) if verdict is not None else []
    text = _fit("\n".join([line, *elsewhere_lines(finding), *proved]))
    test = Element("testcase", name=f"{finding.code} at {position(finding, file.cells)}")
    if verdict is not None and verdict.outcome is Outcome.REFUTED:
        SubElement(test, "system-out").text = text
    else:
        failure = SubElement(test, "failure", message=_fit(finding.message), type=finding.code)
        failure.text = text
    return test


def _broken(problem: Problem) -> Element:
    test = Element("testcase", name="torchloader")
    SubElement(test, "error", message=_fit(problem.reason), type="problem").text = _fit(str(problem))
    return _suite_of(_fit(str(problem.path)), [test])


def _fit(text: str) -> str:
    """The text without what XML has no way to write."""
    return _NOT_IN_XML.sub("\ufffd", text)
