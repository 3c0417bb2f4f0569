"""A stand-in for starting each program afresh: it imports torch once, and forks for each run.

Run as a program, it reads the folder of a prepared run from a line of stdin, lets a supervisor of its own run the job
in it, and answers with a line. What the program starts itself is started as ever, only that a fork server imports torch
before it forks. OpenCV is not imported beforehand, for the sake of its threads.
"""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from flake8_torchloader.running import supervise
from flake8_torchloader.running.job import Job, Report

if TYPE_CHECKING:
    from flake8_torchloader.running.program import Limits


class Preloaded:
    """One such process, as its user sees it."""

    def __init__(self) -> None:
        """Start it; it ends when it is closed, or with the process that started it."""
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def supervise(self, folder: Path, limits: Limits) -> Report:
        """Let the job in a folder be run, in the place of `running.launch`'s own supervisor."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(folder, file=self._process.stdin, flush=True)
        self._process.stdout.readline()
        report = Report.load(folder)
        assert report is not None
        return report

    def close(self) -> None:
        """End it."""
        self._process.communicate()


class _Forked(supervise.Supervision):
    """Supervises a program that is forked instead of started."""

    def _start(self) -> subprocess.Popen[bytes]:
        outputs = [output.open() for output in self._outputs]
        pid = os.fork()
        if not pid:
            _run(self._job, *(output.fileno() for output in outputs))
        for output in outputs:
            output.close()
        return _process(pid)


def _process(pid: int) -> subprocess.Popen[bytes]:
    """A forked process as an object of `subprocess`."""
    process = subprocess.Popen.__new__(subprocess.Popen)
    vars(process).update(pid=pid, returncode=None, args=(), stdin=None, stdout=None, stderr=None)
    vars(process).update(_waitpid_lock=threading.Lock(), _child_created=True)
    return process


def _run(job: Job, stdout: int, stderr: int) -> NoReturn:
    """Become the program, as far as a program can tell."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    with open(os.devnull) as nothing:
        for source, target in ((nothing.fileno(), 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
    os.chdir(job.cwd)
    os.environ.clear()
    os.environ.update(job.environment)
    sys.path.insert(0, job.environment["PYTHONPATH"].split(os.pathsep)[0])
    tempfile.tempdir = None
    sys.modules.pop("sitecustomize", None)
    importlib.import_module("sitecustomize")
    status = _execute(list(job.command[1:]))
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _execute(arguments: list[str]) -> int:
    """Run a script as the main module; the exit status that the interpreter would give."""
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(["__main__", "torch"])
    main = ModuleType("__main__")
    vars(main).update(__file__=arguments[0], __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"], sys.argv, sys.path[0] = main, arguments, os.path.dirname(arguments[0])
    try:
        exec(compile(Path(arguments[0]).read_bytes(), arguments[0], "exec"), vars(main))
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            return left.code or 0
        print(left.code, file=sys.stderr)
        return 1
    except BaseException as error:
        trace = error.__traceback__
        sys.excepthook(type(error), error.with_traceback(trace.tb_next if trace is not None else None), None)
        return 1
    return 0


def _answer(folder: Path) -> NoReturn:
    """Be the supervisor of one run."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        supervise._adopt_orphans()
        _Forked(folder, Job.load(folder)).carry_out().save(folder)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def main() -> int:
    """Answer one request after the other."""
    for name in ("numpy", "torch", "torch.utils.data"):
        importlib.import_module(name)
    while line := sys.stdin.readline():
        pid = os.fork()
        if not pid:
            _answer(Path(line.strip()))
        os.waitpid(pid, 0)
        print("done", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
