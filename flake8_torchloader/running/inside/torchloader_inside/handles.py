"""Files that a worker got from its parent together with the position in them, and that it still reads."""

from __future__ import annotations

import os
import stat
from typing import Any

from .settings import SETTINGS
from .tell import quietly

# Descriptor -> path, inode and position, of regular files that were open when the worker started.
_inherited: dict[int, tuple[str, int, int]] = {}


@quietly
def remember(parent: int) -> None:
    """Note the regular files that this worker shares with its parent."""
    _inherited.clear()
    for name in os.listdir("/proc/self/fd"):
        seen = _look(int(name))
        if seen is not None and seen[0] == _path(parent, int(name)) and not _is_ours(seen[0]):
            _inherited[int(name)] = seen


@quietly
def moved() -> list[dict[str, Any]]:
    """The inherited files, each with whether its position moved since: then it is read through the shared handle."""
    return [
        {"descriptor": descriptor, "path": path, "read": _has_moved(descriptor)}
        for descriptor, (path, _, _) in _inherited.items()
    ]


def _is_ours(path: str) -> bool:
    """Whether a file belongs to the recorder, and is none of the program's temporary ones."""
    return path.startswith(SETTINGS.run + os.sep) and not path.startswith(SETTINGS.temporary + os.sep)


def _has_moved(descriptor: int) -> bool:
    before, now = _inherited[descriptor], _look(descriptor)
    return now is not None and now[:2] == before[:2] and now[2] != before[2]


def _path(process: int | str, descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/{process}/fd/{descriptor}")
    except OSError:
        return ""


def _look(descriptor: int) -> tuple[str, int, int] | None:
    """Path, inode and position of a descriptor that is a regular file, asked without moving it."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
            position = next(int(line.split()[1]) for line in file if line.startswith("pos:"))
    except (OSError, StopIteration):
        return None
    return _path("self", descriptor), status.st_ino, position
