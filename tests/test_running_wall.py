"""The wall: what a program may not do, how it is told so, and the flag that opens it."""

from __future__ import annotations

import pytest
from running_room import Room

from flake8_torchloader.running.program import Limits
from flake8_torchloader.trial import Ending, Trial
from flake8_torchloader.verdict import Reason, why_unreached

FORBIDDEN = {
    "open": ("open('out.txt', 'w')", "--allow-write"),
    "append": ("open(__file__, 'a')", "--allow-write"),
    "Path.write_text": ("import pathlib\npathlib.Path(__file__).write_text('')", "--allow-write"),
    "os.open": ("import os\nos.open('out.txt', os.O_CREAT | os.O_RDWR)", "--allow-write"),
    "os.remove": ("import os\nos.remove(__file__)", "--allow-write"),
    "os.rename": ("import os\nos.rename(__file__, __file__ + '.old')", "--allow-write"),
    "os.replace": ("import os, tempfile\nos.replace(tempfile.mkstemp()[1], __file__)", "--allow-write"),
    "os.mkdir": ("import os\nos.makedirs('runs/one', exist_ok=True)", "--allow-write"),
    "os.symlink": ("import os\nos.symlink('a', 'b')", "--allow-write"),
    "os.chmod": ("import os\nos.chmod(__file__, 0o777)", "--allow-write"),
    "os.truncate": ("import os\nos.truncate(__file__, 0)", "--allow-write"),
    "shutil.rmtree": ("import shutil, os\nshutil.rmtree(os.path.dirname(__file__))", "--allow-write"),
    "through a link": (
        "import os, tempfile\npath = tempfile.mkdtemp() + '/link'\nos.symlink(__file__, path)\nopen(path, 'w')",
        "--allow-write",
    ),
    "sqlite3": ("import sqlite3\nsqlite3.connect('new.db')", "--allow-write"),
    "shell": ("import os\nos.system('touch shell.txt')", "--allow-write"),
    "subprocess": ("import subprocess\nsubprocess.run(['touch', 'run.txt'])", "--allow-write"),
    "exec": ("import os\nos.execv('/bin/true', ['true'])", "--allow-write"),
    "socket": ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "--allow-network"),
    "datagram": (
        "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
        "--allow-network",
    ),
    "urlopen": ("import urllib.request\nurllib.request.urlopen('http://example.invalid/')", "--allow-network"),
}

ALLOWED = """
    import ctypes.util, os, sqlite3, socket, tempfile, platform
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a")
        open(path, "w").close()
        os.rename(path, path + "b")
        os.makedirs(os.path.join(folder, "deep", "er"))
        sqlite3.connect(os.path.join(folder, "new.db")).close()
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    os.makedirs(os.path.dirname(os.path.abspath(__file__)), exist_ok=True)
    open(os.devnull, "w").close()
    open(__file__).close()
    sqlite3.connect(":memory:").close()
    a, b = socket.socketpair()
    a.send(b"x")
    ctypes.util.find_library("m")
    platform.processor()
    """


@pytest.mark.parametrize("text, flag", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_a_program_is_stopped_with_the_flag_that_allows_it(room: Room, text: str, flag: str) -> None:
    run = room.run(text)
    assert (run.ending, why_unreached(run)) == (Ending.CRASHED, Reason.BLOCKED)
    assert run.blocked[0].flag == flag and flag in run.text
    assert run.blocked[0].site is not None and run.blocked[0].site.file.endswith("program.py")


def test_an_honest_program_does_not_notice(room: Room) -> None:
    run = room.run(ALLOWED)
    assert run.ending is Ending.FINISHED, run.text
    assert not run.blocked and not run.failed_probes


def test_the_flags_open_the_wall(room: Room) -> None:
    outside = room.temporary.with_name(room.temporary.name + "-open")
    text = f"""
        import os, socket, subprocess
        open({str(outside)!r}, "w").close()
        subprocess.run(["rm", {str(outside)!r}], check=True)
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        except ConnectionRefusedError:
            os._exit(7)
        """
    run = room.run(text, limits=Limits(seconds=20, allow_network=True, allow_write=True))
    assert run.status == 7, run.text


def test_a_program_that_swallows_the_refusal_goes_on(room: Room) -> None:
    run = room.run("try:\n    open('log.txt', 'w')\nexcept OSError:\n    pass")
    assert run.ending is Ending.FINISHED and len(run.blocked) == 1


def test_the_wall_stands_in_all_processes(room: Room) -> None:
    text = """
        import multiprocessing

        def write():
            open("child.txt", "w")

        if __name__ == "__main__":
            for method in ("fork", "forkserver", "spawn"):
                process = multiprocessing.get_context(method).Process(target=write)
                process.start()
                process.join()
        """
    run = room.run(text, Trial.SPAWN)
    assert len({blocked.pid for blocked in run.blocked} - {run.main}) == 3


def test_files_written_by_c_code_are_refused_too(room: Room) -> None:
    pytest.importorskip("cv2")
    run = room.run("import cv2, numpy\ncv2.imwrite('x.png', numpy.zeros((4, 4, 3), numpy.uint8))")
    assert why_unreached(run) is Reason.BLOCKED
