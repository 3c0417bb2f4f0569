"""What a command uses: processor time of its whole tree of processes, and peak memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

KIBIBYTES_PER_MEBIBYTE = 1024


@dataclass(frozen=True)
class Usage:
    """CPU seconds, user and system, of all processes together, and the peak MiB of the largest of them."""

    seconds: float
    mebibytes: float


def usage(command: Sequence[str | Path], statuses: Collection[int] = (0,)) -> Usage:
    """Run a command to its end; raise RuntimeError if it ends with another status than expected."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in statuses:
        raise RuntimeError(f"it ended with {process.returncode}: {' '.join(map(str, command))[:500]}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / KIBIBYTES_PER_MEBIBYTE)
