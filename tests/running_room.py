"""A room to run programs in, which looks afterwards whether anything was left behind or touched."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import textwrap
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

import pytest

from flake8_torchloader.running.launch import run
from flake8_torchloader.running.program import Limits, Program, Script
from flake8_torchloader.running.tree import all_processes
from flake8_torchloader.trial import Run, Trial

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="programs are run that import torch")


class Room:
    """A folder with the user's files, and the means to run them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Mark everything that is started from here, and keep temporary files in a place of our own."""
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.temporary = Path(tempfile.mkdtemp(prefix="room-", dir="/tmp"))
        monkeypatch.setenv("ROOM", self.mark)
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))

    def write(self, name: str, text: str) -> Path:
        """A file of the user."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def run(
        self,
        text: str,
        trial: Trial = Trial.CONTROL,
        *arguments: str,
        name: str = "program.py",
        python: Path = Path(sys.executable),
        limits: Limits = Limits(seconds=20),
    ) -> Run:
        """Run a program, then look around."""
        script = self.write(name, text)
        files = self.files()
        shown = run(Program(Script(script, arguments), python, self.folder), trial, limits)
        assert self.processes() == []
        assert list(self.temporary.iterdir()) == []
        assert self.files() == files
        return shown

    def files(self) -> dict[str, bytes]:
        """The user's files and what is in them."""
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}

    def processes(self) -> list[int]:
        """The processes that were started from this room, this one not counted."""
        others = (one for one in all_processes() if one.pid != os.getpid() and not one.is_dead)
        return [one.pid for one in others if self.mark.encode() in _described(one.pid)]

    def wait_for_silence(self, seconds: float) -> bool:
        """Whether all processes of this room are gone within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.processes()

    def close(self) -> None:
        """Remove the place for temporary files."""
        shutil.rmtree(self.temporary, ignore_errors=True)


def _described(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
