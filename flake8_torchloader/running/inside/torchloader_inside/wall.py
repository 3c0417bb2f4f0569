"""A seat belt for honest programs: no writing outside the folder for temporary files, no network, no other programs.

It sees what Python's own functions do. It is no sandbox: C code, or a program that wants to, gets around it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from .audit import Listener
from .settings import SETTINGS, Settings
from .sites import calling_site
from .tell import clip, tell

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_TORCH = f"{os.sep}torch{os.sep}"
_SAFE_FOLDERS = tuple(
    folder + os.sep for folder in (os.path.realpath(SETTINGS.temporary), SETTINGS.stacks, "/dev", "/proc")
)
_LOCAL_FAMILIES = ("AF_UNIX", "AF_NETLINK", "AF_ALG", "AF_VSOCK")


class Blocked(PermissionError):
    """Something that the wall refused; the text names the flag that allows it."""


def refuse(call: str, target: object, deed: str, flag: str) -> None:
    """Tell what was refused, and raise.

    Raises:
        Blocked: always.
    """
    tell("blocked", call=call, target=clip(target, 500), flag=flag, site=calling_site())
    what = f"{deed}: {clip(target, 500)} ({call})"
    raise Blocked(f"torchloader --verify does not let a program {what}. Allow it with {flag}.")


def refuse_write(call: str, path: Any, folder: int = -1) -> None:
    """Refuse a change of a file outside the places for temporary files.

    `path` may be relative to an open folder, given by its descriptor. A descriptor in place of a path was checked
    when it was opened.

    Raises:
        Blocked: if the file lies elsewhere.
    """
    if isinstance(path, int) or path is None or path == SETTINGS.events:
        return
    name = os.fsdecode(path)
    if folder is not None and folder >= 0:
        name = os.path.join(os.path.realpath(f"/proc/self/fd/{folder}"), name)
    parent, last = os.path.split(os.path.abspath(name))
    target = os.path.realpath(name) if not os.path.islink(name) else os.path.join(os.path.realpath(parent), last)
    if not f"{target}{os.sep}".startswith(_SAFE_FOLDERS):
        refuse(call, target, "write outside its folder for temporary files", "--allow-write")


def _opened(args: tuple[Any, ...]) -> None:
    path, _, flags = args
    if isinstance(flags, int) and flags & _WRITES:
        refuse_write("open", path if isinstance(path, int) or path is None else os.path.realpath(path))


def _folder(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _made(args: tuple[Any, ...]) -> None:
    """A folder that exists already is not made again: the call fails by itself, as `exist_ok` expects."""
    if not os.path.lexists(args[0]):
        refuse_write("os.mkdir", args[0], _folder(args[2]))


def _removed(call: str) -> Listener:
    def removed(args: tuple[Any, ...]) -> None:
        if len(args) > 1 and _folder(args[1]) >= 0 or os.path.lexists(args[0]):
            refuse_write(call, args[0], _folder(args[1]) if len(args) > 1 else -1)

    return removed


def _moved(call: str) -> Listener:
    def moved(args: tuple[Any, ...]) -> None:
        refuse_write(call, args[0], _folder(args[2]) if len(args) > 3 else -1)
        refuse_write(call, args[1], _folder(args[3]) if len(args) > 3 else -1)

    return moved


def _linked(call: str) -> Listener:
    def linked(args: tuple[Any, ...]) -> None:
        refuse_write(call, args[1], _folder(args[-1]) if len(args) > 2 else -1)

    return linked


def _changed(call: str) -> Listener:
    def changed(args: tuple[Any, ...]) -> None:
        refuse_write(call, args[0], _folder(args[-1]) if len(args) > 2 else -1)

    return changed


def _database(args: tuple[Any, ...]) -> None:
    """A database that exists may be read; one that doesn't would be made."""
    if args[0] not in ("", ":memory:", b"", b":memory:") and not os.path.exists(args[0]):
        refuse_write("sqlite3.connect", args[0])


def _connected(call: str) -> Listener:
    def connected(args: tuple[Any, ...]) -> None:
        family = getattr(getattr(args[0], "family", None), "name", "")
        if family not in _LOCAL_FAMILIES and args[1] is not None:
            refuse(call, args[1], "use the network", "--allow-network")

    return connected


def _looked_up(args: tuple[Any, ...]) -> None:
    if args[0] not in (None, "", b"", "localhost", "127.0.0.1", "::1"):
        refuse("socket.getaddrinfo", args[0], "use the network", "--allow-network")


def _started(call: str) -> Listener:
    def started(args: tuple[Any, ...]) -> None:
        if not _is_for_the_library():
            refuse(call, args[1] if call == "subprocess.Popen" else args[0], "start another program", "--allow-write")

    return started


def _is_for_the_library() -> bool:
    """Whether the standard library or torch itself starts the program, e.g. to find a C library."""
    frame: Any = sys._getframe(1)
    own = (os.path.dirname(os.path.abspath(__file__)), _STANDARD + "subprocess.py", _STANDARD + "os.py")
    while frame is not None and frame.f_code.co_filename.startswith(own):
        frame = frame.f_back
    file = frame.f_code.co_filename if frame is not None else ""
    is_standard = file.startswith(_STANDARD) and "-packages" not in file
    return is_standard or _TORCH in file and "-packages" in file


def listeners(settings: Settings) -> dict[str, Listener]:
    """The audit events to listen to, as far as the settings do not allow what they stand for."""
    found: dict[str, Listener] = {}
    if not settings.allow_network:
        found.update({call: _connected(call) for call in ("socket.connect", "socket.sendto", "socket.sendmsg")})
        found["socket.getaddrinfo"] = _looked_up
    if not settings.allow_write:
        found.update({"open": _opened, "os.mkdir": _made, "os.rename": _moved("os.rename")})
        found["sqlite3.connect"] = _database
        found.update({call: _removed(call) for call in ("os.remove", "os.rmdir")})
        found.update({call: _linked(call) for call in ("os.link", "os.symlink")})
        found.update({call: _changed(call) for call in ("os.truncate", "os.chmod", "os.chown", "os.utime")})
        found.update({call: _started(call) for call in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")})
    return found
