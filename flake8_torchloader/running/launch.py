"""Running a program once under one trial."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from flake8_torchloader.running import tree
from flake8_torchloader.running.gather import gather
from flake8_torchloader.running.job import EVENTS, MARKER, STACKS, Job, Report
from flake8_torchloader.running.program import Entry, Limits, Program, Script
from flake8_torchloader.trial import Run, Trial

INSIDE = Path(__file__).parent / "inside"
_TEMPORARY = "tmp"
_GRACE_SECONDS = 15.0
# Sockets of `multiprocessing` lie some 45 characters below the folder of the run, and may be 107 long.
_LONGEST_FOLDER = 50


class NotPossibleHere(Exception):
    """Programs can only be run on Linux: it takes /proc, and a supervisor that adopts orphans."""


def run(
    program: Program, trial: Trial, limits: Limits = Limits(), supervise: Callable[[Path, Limits], Report] | None = None
) -> Run:
    """Run a program and tell what it showed; afterwards no process and no file of it is left.

    `supervise` carries out what was prepared in a folder, if another supervisor than ours is to do that.

    Raises:
        NotPossibleHere: on another system than Linux.
        KeyboardInterrupt: if it was interrupted; the program is ended first.
    """
    if not sys.platform.startswith("linux"):
        raise NotPossibleHere("programs can be run on Linux only")
    folder = Path(tempfile.mkdtemp(prefix="torchloader-", dir=_short_folder()))
    try:
        _prepare(folder, program, trial, limits)
        report = (supervise or _supervise)(folder, limits)
        return gather(folder, trial, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(folder) <= _LONGEST_FOLDER else "/tmp"


def _prepare(folder: Path, program: Program, trial: Trial, limits: Limits) -> None:
    """Write what the supervisor and the processes of the program read."""
    for name in (_TEMPORARY, STACKS):
        (folder / name).mkdir()
    script = program.start.path.resolve() if isinstance(program.start, Script) else None
    number = int(signal.SIGRTMAX) - 3
    settings = {
        "run": str(folder),
        "events": str(folder / EVENTS),
        "temporary": str(folder / _TEMPORARY),
        "stacks": str(folder / STACKS),
        "trial": trial.value,
        "script": str(script or ""),
        "cwd": str(program.cwd.resolve()),
        "begun": time.monotonic(),
        "stack_signal": number,
        **{name: value for name, value in asdict(limits).items() if name != "seconds"},
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    command = (str(program.python), *_arguments(program.start, trial, limits))
    Job(command, settings["cwd"], _environment(folder), limits.seconds, number).save(folder)


def _arguments(start: Script | Entry, trial: Trial, limits: Limits) -> tuple[str, ...]:
    """The command line after the interpreter."""
    inside = INSIDE / "torchloader_inside"
    if isinstance(start, Entry):
        return str(inside / "entry.py"), start.name, str(start.workers), str(limits.epochs)
    script = (str(start.path.resolve()), *start.arguments)
    return (str(inside / "again.py"), *script) if trial is Trial.REIMPORT else script


def _environment(folder: Path) -> dict[str, str]:
    """The user's environment, with the recorder first on the path and temporary files in the folder of the run."""
    paths = [str(INSIDE), *filter(None, [os.environ.get("PYTHONPATH")])]
    added = {
        MARKER: str(folder),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / _TEMPORARY)),
    }
    return {**os.environ, **added}


def _supervise(folder: Path, limits: Limits) -> Report:
    """Let a supervisor run the job in the folder. It ends everything if we go away, and we do if it goes away."""
    command = [sys.executable, "-m", "flake8_torchloader.running.supervise", str(folder)]
    began = time.monotonic()
    supervisor = subprocess.Popen(
        command, cwd=folder, env=_own_environment(os.environ), stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        supervisor.wait(limits.seconds + _GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
    finally:
        _finish(supervisor, folder)
    report = Report.load(folder)
    if report is not None:
        return report
    return Report(None, time.monotonic() - began, error="the supervisor of the run did not report")


def _own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which the supervisor finds this package, and nothing of the user's by accident."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}


def _finish(supervisor: subprocess.Popen[bytes], folder: Path) -> None:
    """Closing its stdin tells the supervisor to end everything; what it could not end any more is ended here."""
    if supervisor.stdin is not None:
        supervisor.stdin.close()
    try:
        supervisor.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    if supervisor.returncode != 0:
        tree.end_all(supervisor.pid, f"{MARKER}={folder}")
