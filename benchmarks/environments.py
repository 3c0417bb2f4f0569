"""Virtual environments to compare: flake8 runs every plugin that is installed, so each tool gets one of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
NOT_PACKAGED = (".*", "build", "*.egg-info", "fixtures", "tests", "benchmarks")


@dataclass(frozen=True)
class Environments:
    """The folder that holds the environments, and what flake8 is called when it is installed."""

    folder: Path
    flake8: str = "flake8"

    def without_us(self) -> Path:
        """The interpreter beside which flake8 stands alone."""
        return self._made("alone", self.flake8)

    def with_us(self) -> Path:
        """The interpreter with flake8 and this project as it is now, which is installed again each time.

        It is a copy and no editable install, which would add a finder of its own to each start of the interpreter.
        """
        python = self._made("with", self.flake8)
        with tempfile.TemporaryDirectory() as name:
            project = Path(name, "project")
            shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns(*NOT_PACKAGED))
            _install(python, str(project))
            _install(python, "--force-reinstall", "--no-deps", str(project))
        return python

    def with_torchfix(self, requirement: str = "torchfix") -> Path:
        """The interpreter with flake8 and TorchFix."""
        return self._made("torchfix", self.flake8, requirement)

    def _made(self, name: str, *packages: str) -> Path:
        """The interpreter of an environment, which is made unless it is there."""
        python = self.folder / name / "bin" / "python"
        if not python.exists():
            venv.create(self.folder / name, with_pip=True)
            _install(python, *packages)
        return python


@contextmanager
def environments(folder: Path | None, flake8: str) -> Iterator[Environments]:
    """Environments that are kept in a folder, or in none and removed in the end."""
    if folder is not None:
        yield Environments(folder.resolve(), flake8)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Environments(Path(name), flake8)


def _install(python: Path, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], check=True)
