"""What is asked of the file system while a file is read: who listens hears each question, and its answer."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import NamedTuple

LARGEST = 1_000_000
"""Bytes of a file that is still read for another one's sake."""

_MOST_FILES = 2000
"""How many files of a project are searched for a word."""

_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Does not wait for what somebody may write into a pipe."""

_INSTALLED = {"site-packages", "dist-packages"}
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder"}
_OTHER, _ABSENT = "other", ""
_SEPARATOR = "\0"
_BOTH = "now this, now that"
"""What no question has for an answer, so that nothing rests on a file that changed while it was looked at."""

Stamp = tuple[int, int]
"""The size of a file, and when it was last changed, in nanoseconds."""

_Heard = dict[tuple[str, str], str]
_HEARD: ContextVar[_Heard | None] = ContextVar("_HEARD", default=None)


class Fact(NamedTuple):
    """What was asked about a path, by the name of the question, and what the answer was."""

    question: str
    about: str
    answer: str

    def holds(self) -> bool:
        """Whether the file system still gives this answer."""
        return _QUESTIONS[self.question](self.about) == self.answer


@contextmanager
def listening() -> Iterator[Callable[[], tuple[Fact, ...]]]:
    """Hear what is asked from here on in this thread: what is given tells it, each question once."""
    heard: _Heard = {}
    token = _HEARD.set(heard)
    try:
        yield lambda: tuple(Fact(*question, answer) for question, answer in heard.items())
    finally:
        _HEARD.reset(token)


# --- asking


def is_file(path: Path) -> bool:
    """Whether there is a plain file, or a link to one."""
    return _kind(path) == "file"


def is_folder(path: Path) -> bool:
    """Whether there is a folder, or a link to one."""
    return _kind(path) == "folder"


def exists(path: Path) -> bool:
    """Whether there is anything."""
    return _kind(path) != _ABSENT


def files_with(words: tuple[str, ...], top: Path) -> tuple[Path, ...]:
    """The Python files in and below a folder that hold one of some words; none where there are very many files."""
    about = _SEPARATOR.join((str(top), *words))
    answer = _known_search(about)
    tell("search", about, answer)
    return tuple(map(Path, filter(None, answer.split(_SEPARATOR))))


def digest(content: bytes) -> str:
    """What tells contents apart: their length, and the hash by which Python knows the sources of its own `.pyc` files.

    That two files have both in common by accident is expected once in 2**64 pairs of one length.
    """
    from importlib.util import source_hash

    return f"{len(content):x}-{source_hash(content).hex()}"


def content(path: str) -> bytes | None:
    """What is in a file that is read for another one's sake: None if it is too large, no plain file, or unreadable."""
    if _kind_of(path) != "file":
        return None
    try:
        with open(path, "rb") as file:
            found = file.read(LARGEST + 1)
    except OSError:
        return None
    return found if len(found) <= LARGEST else None


def stamp(path: Path) -> Stamp:
    """What changes, as a rule, when a file does: good enough to read it once in a run, and no fact to rely on."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return (-1, -1)
    return (status.st_size, status.st_mtime_ns)


def tell(question: str, about: str, answer: str) -> None:
    """Let whoever listens know what was asked, and what the answer was."""
    heard = _HEARD.get()
    if heard is not None and heard.setdefault((question, about), answer) != answer:
        heard[question, about] = _BOTH


def _kind(path: Path) -> str:
    about = str(path)
    answer = _kind_of(about)
    tell("kind", about, answer)
    return answer


# --- answering


def _kind_of(path: str) -> str:
    try:
        return _KINDS.get(stat.S_IFMT(os.stat(path).st_mode), _OTHER)
    except (OSError, ValueError):
        return _ABSENT


def _digest_of(path: str) -> str:
    found = content(path)
    return "" if found is None else digest(found)


def _search(about: str) -> str:
    """The paths of what `files_with` looks for."""
    top, *words = about.split(_SEPARATOR)
    found: list[str] = []
    for folder, inner, files in os.walk(top):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in _INSTALLED)
        found += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".py")]
        if len(found) > _MOST_FILES:
            return ""
    needles = [word.encode() for word in words]
    return _SEPARATOR.join(path for path in found if _holds_any(path, needles))


def _holds_any(path: str, needles: list[bytes]) -> bool:
    """Whether a plain file holds one of some words; the system's own calls read many of them sooner than `open`."""
    try:
        opened = os.open(path, _TO_READ)
    except OSError:
        return False
    try:
        status = os.fstat(opened)
        text = os.read(opened, status.st_size) if stat.S_ISREG(status.st_mode) else b""
    except OSError:
        return False
    finally:
        os.close(opened)
    return any(needle in text for needle in needles)


_known_search = cache(_search)
_QUESTIONS: Mapping[str, Callable[[str], str]] = {"kind": _kind_of, "content": _digest_of, "search": _search}
