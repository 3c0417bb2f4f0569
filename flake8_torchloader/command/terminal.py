"""What is shown on a terminal, and only there: colours, and a line that moves while programs run."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

from flake8_torchloader.report.paint import Paint, coloured, plain

if TYPE_CHECKING:
    from flake8_torchloader.verifying import Step

Watch: TypeAlias = "Callable[[Step], None]"


def paint_for_stdout() -> Paint:
    """Colours if standard output shows them, or FORCE_COLOR is set, and NO_COLOR is not; none without rich."""
    if os.environ.get("NO_COLOR") or not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        return plain
    try:
        from rich.console import Console
    except ImportError:
        return plain
    return coloured if Console(file=sys.stdout).color_system in ("standard", "256", "truecolor") else plain


def progress(*, is_quiet: bool) -> AbstractContextManager[Watch]:
    """What shows the trial that is running: a line that moves on a terminal, a line for each trial elsewhere."""
    if is_quiet:
        return _nothing()
    return _moving_line() if sys.stderr.isatty() and _has_rich() else _plain_lines()


@contextmanager
def _nothing() -> Iterator[Watch]:
    yield lambda step: None


@contextmanager
def _plain_lines() -> Iterator[Watch]:
    from flake8_torchloader.report.verdicts import step_line

    yield lambda step: complain(step_line(step))


@contextmanager
def _moving_line() -> Iterator[Watch]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from flake8_torchloader.report.verdicts import step_line

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def watch(step: Step) -> None:
            for task in progress.task_ids:
                progress.remove_task(task)
            progress.add_task(step_line(step), total=None)

        yield watch


def print_page(markdown: str) -> None:
    """A page on standard output: laid out where a person reads it, if rich is there, else as it is."""
    if not sys.stdout.isatty() or not _has_rich():
        print(markdown, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(markdown))


def _has_rich() -> bool:
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return False
    return True


def complain(line: str) -> None:
    """One line that is no result, by the name of the command."""
    print(f"torchloader: {line}", file=sys.stderr, flush=True)


def let_all_be_printed() -> None:
    """File names may hold what the encoding of the terminal lacks, and a stream may be closed from the beginning."""
    sys.stdout = sys.stdout or open(os.devnull, "w")
    sys.stderr = sys.stderr or open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
