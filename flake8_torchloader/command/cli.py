"""The door of the command `torchloader`: it prints, and its exit status says what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_torchloader.command.command_line import STDIN, Order, read_order
from flake8_torchloader.command.refused import Refused
from flake8_torchloader.command.teller import Teller, write
from flake8_torchloader.command.terminal import complain, let_all_be_printed
from flake8_torchloader.files import Search
from flake8_torchloader.linted import Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.results import Results
from flake8_torchloader.sources import Linter, lint_paths

if TYPE_CHECKING:
    from flake8_torchloader.baseline import Baseline

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
UNREAD = "TLD000"


def main(argv: Sequence[str] | None = None) -> int:
    """Lint, verify if asked to, tell; the exit status is described by `--help`."""
    let_all_be_printed()
    try:
        status = carry_out(read_order(sys.argv[1:] if argv is None else list(argv)))
        sys.stdout.flush()
        return status
    except Refused as refusal:
        complain(str(refusal))
        return FAILED
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        complain(f"stumbled: {' '.join(f'{type(error).__name__}: {error}'.split())}")
        return FAILED


def carry_out(order: Order) -> int:
    """Do what was ordered, and give the exit status."""
    if order.write_baseline is not None:
        return _write_baseline(order, order.write_baseline, _lint(order))
    teller = Teller(order)
    if order.proving is not None:
        from flake8_torchloader.command.proving import prove, refuse_other_systems

        refuse_other_systems()
        results = prove(order.proving, _lint_for_news(order), teller, is_quiet=order.output.quiet)
    else:
        results = _lint_for_news(order)
        teller.tell(results)
    teller.close(results)
    return _status(order, results)


def _lint(order: Order) -> Results:
    """What is found in all files; what can't be read is told at once."""
    seen = [_lint_stdin(order)] if STDIN in order.paths else list(lint_paths(order.paths, order.config))
    problems = tuple(one for one in seen if isinstance(one, Problem))
    for problem in problems:
        complain(str(problem))
    if not seen and not order.output.quiet:
        complain("no programs and no notebooks there, but for what is excluded or ignored")
    files = tuple(one for one in seen if isinstance(one, Linted))
    return Results(files=files, problems=problems, settings=order.config.settings, pages=order.output.pages)


def _lint_stdin(order: Order) -> Linted | Problem:
    path = order.stdin_filename
    if sys.stdin is None:
        raise Refused("standard input (-) is closed")
    content = sys.stdin.buffer.read()
    if not list(Search(order.config).file(path)):
        return Linted(path, ())
    alone = order.config.but(follow_depth=0)
    return Linter(alone).bytes(content, path)


def _write_baseline(order: Order, path: Path, found: Results) -> int:
    from flake8_torchloader.baseline import document

    write(path, document(found.files, path.parent))
    if not order.output.quiet:
        complain(f"{path}: {sum(1 for _ in found)} known from now on")
    return FAILED if found.problems else CLEAN


def _lint_for_news(order: Order) -> Results:
    """What is found in all files, without what a baseline knows."""
    if order.output.baseline is None:
        return _lint(order)
    from flake8_torchloader.baseline import BadBaseline, read_baseline

    try:
        baseline = read_baseline(order.output.baseline)
    except BadBaseline as error:
        raise Refused(str(error)) from error
    found = _lint(order)
    _tell_what_is_stale(order, baseline, found)
    news = found.but(files=tuple(baseline.fresh(found.files)))
    return news.but(known=sum(1 for _ in found) - sum(1 for _ in news))


def _tell_what_is_stale(order: Order, baseline: Baseline, found: Results) -> None:
    stale = baseline.stale(found.files, order.config.selection.codes())
    if stale and not order.output.quiet:
        first = f"{stale[0].path}: {stale[0].code} at {stale[0].text!r}"
        complain(f"{order.output.baseline}: {len(stale)} stale, such as {first}; write it anew")


def _status(order: Order, results: Results) -> int:
    """What `--help` says; a file that could not be analysed is something that could not be done."""
    codes = [finding.code for _, finding in results]
    if results.problems or UNREAD in codes:
        return FAILED
    refuted = sum(proof.verdict.is_refuted for one in results.verifications or () for proof in one.proofs)
    is_clean = len(codes) <= refuted and not any(file.unused for file in results.files)
    return CLEAN if is_clean or order.output.exit_zero else FOUND
