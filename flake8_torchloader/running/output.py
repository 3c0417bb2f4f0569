"""What a program prints goes into files of bounded size."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_LARGEST = 8 << 20
_KEPT = 64 << 10


class Output:
    """A file that a program prints into. It is emptied when it grows too large; how it began is kept beside it."""

    def __init__(self, path: Path) -> None:
        """Use this path; the beginning goes to the same name with `.head`."""
        self._path = path
        self._head = path.with_name(path.name + ".head")

    def open(self) -> BinaryIO:
        """The file, for a process to append to."""
        return self._path.open("ab")

    def bound(self) -> None:
        """Empty the file if it is too large: those who append to it go on at its new end."""
        if self._path.stat().st_size <= _LARGEST:
            return
        if not self._head.exists():
            with self._path.open("rb") as file:
                self._head.write_bytes(file.read(_KEPT))
        with self._path.open("r+b") as file:
            file.truncate(0)


def read_output(path: Path) -> str:
    """How the output began, if that was cut off, and how it ended; at most 64 KiB of each."""
    head = path.with_name(path.name + ".head")
    began = head.read_bytes() + b"\n...\n" if head.exists() else b""
    if not path.exists():
        return began.decode(errors="replace")
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _KEPT))
        return (began + file.read(_KEPT)).decode(errors="replace")
