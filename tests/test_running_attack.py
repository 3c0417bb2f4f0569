"""Programs that hang, die, flee, flood or lack something: each run ends with the right reason, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from running_room import Room

from flake8_torchloader.running.program import Limits
from flake8_torchloader.trial import Ending, Run, Trial
from flake8_torchloader.verdict import Reason, why_unreached

SHORT = Limits(seconds=1.5)
ROOT = Path(__file__).resolve().parents[1]
PARSER = "import argparse\np = argparse.ArgumentParser()\np.add_argument('data')\np.parse_args()"
WITHOUT_TORCH = "import sys\nsys.path[:] = [p for p in sys.path if 'site-packages' not in p]\nimport torch"


def seen(run: Run) -> tuple[Ending, Reason]:
    """How a run ended, and the reason that a verdict would give."""
    return run.ending, why_unreached(run)


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.sleep(60)",
        "import atexit, time\natexit.register(time.sleep, 60)",
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nwhile True: pass",
    ],
    ids=["import", "exit handler", "thread at exit", "SIGTERM ignored", "signals blocked"],
)
def test_a_hang_is_ended_when_time_is_up(room: Room, text: str) -> None:
    run = room.run(text, limits=SHORT)
    assert seen(run) == (Ending.TIMED_OUT, Reason.TIMED_OUT)
    assert run.status is None and 1.5 <= run.seconds < 5


def test_a_hang_shows_where_the_process_stood(room: Room) -> None:
    run = room.run("def wait():\n    import time\n    time.sleep(60)\nwait()", limits=SHORT)
    assert [line for line in run.stacks[0].lines if "program.py" in line][-1].endswith("line 3 in wait")


@pytest.mark.parametrize(
    "text, ending, reason",
    [
        ("import os\nos._exit(3)", Ending.EXITED, Reason.LEFT),
        ("import os\nos._exit(0)", Ending.FINISHED, Reason.NEVER_REACHED),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", Ending.KILLED, Reason.LEFT),
        ("import ctypes\nctypes.string_at(0)", Ending.KILLED, Reason.LEFT),
        ("input()", Ending.CRASHED, Reason.NEEDS_INPUT),
        (PARSER, Ending.EXITED, Reason.NEEDS_ARGUMENTS),
        ("import sys\nprint(sys.argv[1])", Ending.CRASHED, Reason.NEEDS_ARGUMENTS),
        ("def f(:\n", Ending.CRASHED, Reason.CRASHED),
        ("import not_installed_anywhere", Ending.CRASHED, Reason.MISSING_PACKAGE),
        (WITHOUT_TORCH, Ending.CRASHED, Reason.NO_TORCH),
        ("open('no such file')", Ending.CRASHED, Reason.MISSING_FILE),
        ("1 / 0", Ending.CRASHED, Reason.CRASHED),
        ("print('done')", Ending.FINISHED, Reason.NEVER_REACHED),
    ],
)
def test_the_reason_tells_why_no_loader_was_reached(room: Room, text: str, ending: Ending, reason: Reason) -> None:
    assert seen(room.run(text)) == (ending, reason)


def test_a_crash_is_told_with_the_line_of_the_user(room: Room) -> None:
    crash = room.run("def f():\n    raise KeyError('x')\nimport json\njson.loads('1', object_hook=f)\nf()").crash
    assert crash is not None and crash.headline == "KeyError: 'x'"
    assert [(site.line, site.function) for site in crash.sites] == [(5, "<module>"), (2, "f")]


def test_a_hook_of_the_program_does_not_hide_its_crash(room: Room) -> None:
    run = room.run("import sys\nsys.excepthook = lambda *args: None\n1 / 0")
    assert run.crash is not None and run.crash.type == "ZeroDivisionError"


FLEEING = {
    "session": """
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
        """,
    "forked twice": """
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                time.sleep(60)
            os._exit(0)
        """,
    "environment cleared": """
        if os.fork() == 0:
            os.setsid()
            os.execve("/bin/sleep", [os.environ["ROOM"], "60"], {})
        """,
    "bounded fork bomb": """
        for _ in range(6):
            os.fork()
        time.sleep(60)
        """,
    "stopped": """
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        """,
}


@pytest.mark.parametrize("text", FLEEING.values(), ids=FLEEING.keys())
def test_no_offspring_survives(room: Room, text: str) -> None:
    run = room.run(f"import os, signal, time\n{textwrap.dedent(text)}", limits=Limits(seconds=2, allow_write=True))
    assert run.survivors >= 1


def test_endless_output_is_bounded(room: Room) -> None:
    text = "import sys\nsys.stderr.write('first\\n')\nwhile True: sys.stderr.write('x' * 100_000)"
    run = room.run(text, limits=SHORT)
    assert run.ending is Ending.TIMED_OUT and len(run.text) <= 8_000


def test_megabytes_on_one_line_are_read(room: Room) -> None:
    run = room.run("import sys\nsys.stderr.write('y' * 3_000_000)\nraise RuntimeError('z' * 3_000_000)")
    assert run.crash is not None and run.crash.text.startswith("zzz") and len(run.crash.text) < 5_000


def test_a_program_may_delete_its_temporary_files_and_move(room: Room) -> None:
    text = """
        import os, shutil, tempfile
        shutil.rmtree(tempfile.gettempdir())
        os.chdir("/")
        1 / 0
        """
    run = room.run(text)
    assert run.crash is not None and run.crash.type == "ZeroDivisionError" and not run.blocked


def test_paths_may_hold_anything(room: Room) -> None:
    run = room.run("raise ValueError('ä €')", name="mein Ördner/Übung 1.py")
    assert run.crash is not None and run.crash.text == "ä €"
    assert run.crash.site is not None and run.crash.site.file.endswith("mein Ördner/Übung 1.py")


def test_arguments_and_folder_reach_the_program(room: Room) -> None:
    text = "import os, sys\nprint(sys.argv[1:], os.getcwd(), sys.path[0], file=sys.stderr)"
    run = room.run(text, Trial.CONTROL, "--lr", "0.1 €")
    assert run.text.strip() == f"['--lr', '0.1 €'] {room.folder} {room.folder}"


def test_the_user_has_a_sitecustomize_too(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.write("site/sitecustomize.py", "GREETING = 'hello'")
    monkeypatch.setenv("PYTHONPATH", str(room.folder / "site"))
    text = "import sitecustomize, sys\nprint(sitecustomize.GREETING, file=sys.stderr)\nimport stuck_nowhere"
    run = room.run(text)
    assert run.is_watched and "hello" in run.text and run.crash is not None


def test_no_module_of_ours_hides_one_of_the_user(room: Room) -> None:
    for name in ("wall", "probes", "settings", "entry"):
        room.write(f"{name}.py", "WHOSE = 'user'")
    text = """
        import sys, wall, probes, settings, entry
        print({module.WHOSE for module in (wall, probes, settings, entry)}, file=sys.stderr)
        """
    assert "{'user'}" in room.run(text).text


def test_without_the_recorder_nothing_is_claimed(room: Room) -> None:
    isolated = room.write("python-isolated", f'#!/bin/sh\nexec "{sys.executable}" -I "$@"\n')
    isolated.chmod(0o755)
    run = room.run("print('hello')", python=isolated)
    assert seen(run) == (Ending.FINISHED, Reason.NOT_WATCHED)


def test_an_interpreter_may_be_missing(room: Room) -> None:
    run = room.run("print('hello')", python=room.folder / "no-python")
    assert seen(run) == (Ending.NOT_STARTED, Reason.NOT_STARTED) and "no-python" in run.error


def test_shared_memory_of_a_killed_program_is_removed(room: Room) -> None:
    name = f"room{room.mark[:12]}"
    text = f"""
        import os, time
        from multiprocessing.shared_memory import SharedMemory
        memory = SharedMemory("{name}", create=True, size=1000)
        time.sleep(60)
        """
    assert room.run(text, limits=SHORT).ending is Ending.TIMED_OUT
    assert not Path("/dev/shm", name).exists()


def test_nothing_survives_a_controller_that_is_killed(room: Room) -> None:
    script = room.write("program.py", "import time\ntime.sleep(60)")
    controller = f"""
from pathlib import Path
from flake8_torchloader.running.launch import run
from flake8_torchloader.running.program import Program, Script
from flake8_torchloader.trial import Trial
run(Program(Script(Path({str(script)!r})), Path({sys.executable!r}), Path({str(room.folder)!r})), Trial.CONTROL)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(room.temporary)}
    process = subprocess.Popen([sys.executable, "-c", controller], env=environment)
    deadline = time.monotonic() + 10
    while len(room.processes()) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(room.processes()) >= 3
    process.kill()
    process.wait()
    assert room.wait_for_silence(10)
