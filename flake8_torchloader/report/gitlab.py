"""A code quality report, as GitLab shows it in merge requests."""

from __future__ import annotations

import json

from flake8_torchloader.finding import Finding
from flake8_torchloader.fingerprint import Fingerprint, fingerprints
from flake8_torchloader.linted import Linted
from flake8_torchloader.report.verdicts import brief
from flake8_torchloader.report.words import position
from flake8_torchloader.results import Results
from flake8_torchloader.rules import all_rules
from flake8_torchloader.verdict import Outcome, Verdict

_SEVERITIES = {Outcome.CONFIRMED: "critical", Outcome.REFUTED: "info", Outcome.UNKNOWN: "major"}


def document(results: Results) -> str:
    """A list of issues; their fingerprints stay when lines move. Problems have no place in such a report."""
    opt_in = {rule.code for rule in all_rules() if rule.is_opt_in}
    issues = [
        _issue(file, finding, fingerprint, results.verdict(file, finding), is_opt_in=finding.code in opt_in)
        for file in results.files
        for finding, fingerprint in fingerprints(file)
    ]
    return json.dumps(issues, indent=1) + "\n"


def _issue(
    file: Linted, finding: Finding, fingerprint: Fingerprint, verdict: Verdict | None, *, is_opt_in: bool
) -> dict[str, object]:
    proved = f" [{brief(verdict)}]" if verdict is not None else ""
    cell = f"{position(finding, file.cells)}: " if file.cells else ""
    severity = _SEVERITIES[verdict.outcome] if verdict is not None else "minor" if is_opt_in else "major"
    line = 1 if file.cells else finding.span.line
    return {
        "description": f"{cell}{finding.code} {finding.message}{proved}",
        "check_name": finding.code,
        "fingerprint": fingerprint.digest,
        "severity": severity,
        "location": {"path": file.path.as_posix(), "lines": {"begin": line}},
    }
