"""Proves what was found, program by program, and tells it as it comes."""

from __future__ import annotations

from flake8_torchloader.command.command_line import Proving
from flake8_torchloader.command.refused import Refused
from flake8_torchloader.command.teller import Teller
from flake8_torchloader.command.terminal import complain, progress
from flake8_torchloader.problem import Problem
from flake8_torchloader.results import Results
from flake8_torchloader.verifying import IS_POSSIBLE_HERE, Case, cases, verify


def refuse_other_systems() -> None:
    """Raise Refused where programs can't be run."""
    if not IS_POSSIBLE_HERE:
        raise Refused("--verify runs programs on Linux only")


def prove(how: Proving, results: Results, teller: Teller, *, is_quiet: bool) -> Results:
    """The results with what running proved; what goes wrong joins the problems."""
    problems, verifications = list(results.problems), []
    for case in cases(results.files, how.python, how.cwd, how.entry, how.arguments):
        part = results.but(files=case.files)
        try:
            with progress(is_quiet=is_quiet) as watch:
                verifications.append(verify(case, results.settings, how.limits, watch))
                part = part.but(verifications=(verifications[-1],))
        except Exception as error:
            problems.append(_failure(case, error))
            complain(str(problems[-1]))
        teller.tell(part)
    return results.but(problems=tuple(problems), verifications=tuple(verifications))


def _failure(case: Case, error: Exception) -> Problem:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return Problem(case.files[0].path, f"could not be verified: {reason}")
