"""The door of the command `torchloader`: it prints, and its exit status says what came of it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from flake8_torchloader.command_line import Order, Refused, read_order
from flake8_torchloader.report import json as report_json
from flake8_torchloader.report import text as report
from flake8_torchloader.sources import Linted, Problem, lint_paths
from flake8_torchloader.verdict import Outcome
from flake8_torchloader.verifying import (
    IS_POSSIBLE_HERE,
    Case,
    Step,
    Verification,
    cases,
    verify,
)

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130

Watch = Callable[[Step], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Lint, verify if asked to, print; the exit status is described by `--help`."""
    _let_all_names_be_printed()
    try:
        status = _carry_out(read_order(sys.argv[1:] if argv is None else list(argv)))
        sys.stdout.flush()
        return status
    except Refused as refusal:
        _complain(str(refusal))
        return FAILED
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        _complain(f"stumbled: {' '.join(f'{type(error).__name__}: {error}'.split())}")
        return FAILED


def _carry_out(order: Order) -> int:
    if order.is_verifying and not IS_POSSIBLE_HERE:
        raise Refused("--verify runs programs on Linux only")
    seen = list(lint_paths(order.paths, order.settings))
    files = [one for one in seen if isinstance(one, Linted)]
    problems = [one for one in seen if isinstance(one, Problem)]
    for problem in problems:
        _complain(str(problem))
    if not order.is_verifying:
        _print_findings(files)
        _write_json(order, files, problems, None)
        return FAILED if problems else _status(files, [])
    verifications = list(_verified(order, files, problems))
    if verifications:
        print(report.summary(verifications))
    _write_json(order, files, problems, verifications)
    return FAILED if problems else _status(files, verifications)


def _verified(order: Order, files: Sequence[Linted], problems: list[Problem]) -> Iterator[Verification]:
    """Verify and print program by program, so that what is known is seen; what goes wrong joins the problems."""
    for case in cases(files, order.python, order.cwd, order.entry, order.arguments):
        try:
            with _progress() as watch:
                verification = verify(case, order.settings, order.limits, watch)
        except Exception as error:
            problems.append(_failure(case, error))
            _complain(str(problems[-1]))
            _print_findings(case.files)
            continue
        print(report.verification_text(verification), flush=True)
        yield verification


def _failure(case: Case, error: Exception) -> Problem:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return Problem(case.files[0].path, f"could not be verified: {reason}")


def _status(files: Sequence[Linted], verifications: Sequence[Verification]) -> int:
    found = sum(len(file.findings) for file in files)
    outcomes = [proof.verdict.outcome for one in verifications for proof in one.proofs]
    return FOUND if found > outcomes.count(Outcome.REFUTED) else CLEAN


def _print_findings(files: Sequence[Linted]) -> None:
    for file in files:
        for finding in file.findings:
            print(report.finding_line(file.path, finding))


def _write_json(
    order: Order, files: Sequence[Linted], problems: Sequence[Problem], verifications: Sequence[Verification] | None
) -> None:
    if order.json is None:
        return
    text = report_json.document(order.settings, files, problems, verifications)
    try:
        order.json.write_text(text, encoding="ascii")
    except OSError as error:
        raise Refused(f"can't write {order.json}: {error.strerror}") from error


def _progress() -> AbstractContextManager[Watch]:
    """What shows the trial that is running: a line that moves on a terminal, a line for each trial elsewhere."""
    return _moving_line() if sys.stderr.isatty() and _has_rich() else _plain_lines()


@contextmanager
def _plain_lines() -> Iterator[Watch]:
    yield lambda step: print(f"torchloader: {report.step_line(step)}", file=sys.stderr, flush=True)


@contextmanager
def _moving_line() -> Iterator[Watch]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def watch(step: Step) -> None:
            for task in progress.task_ids:
                progress.remove_task(task)
            progress.add_task(report.step_line(step), total=None)

        yield watch


def _has_rich() -> bool:
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return False
    return True


def _complain(line: str) -> None:
    print(f"torchloader: {line}", file=sys.stderr, flush=True)


def _let_all_names_be_printed() -> None:
    """File names may hold what the encoding of the terminal lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
