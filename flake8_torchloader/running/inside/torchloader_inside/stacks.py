"""Lets the controller ask a process where it stands, even if it hangs in a lock or in a C library."""

from __future__ import annotations

import faulthandler
import os
from typing import IO

from .settings import SETTINGS
from .tell import quietly

_file: IO[bytes] | None = None


@quietly
def install() -> None:
    """Write the Python stack to a file of this process when the agreed signal comes, here and in forked processes."""
    _listen()
    os.register_at_fork(after_in_child=_listen)


@quietly
def _listen() -> None:
    global _file
    _file = open(os.path.join(SETTINGS.stacks, str(os.getpid())), "wb", buffering=0)
    faulthandler.register(SETTINGS.stack_signal, file=_file, all_threads=True, chain=False)
