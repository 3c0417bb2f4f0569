"""Cheap measurements that a process takes of itself."""

from __future__ import annotations

import sys
from typing import Any

from .tell import quietly


def uss_bytes() -> int | None:
    """Memory that only this process holds, or None where the kernel does not tell."""
    try:
        with open("/proc/self/smaps_rollup", encoding="ascii") as file:
            lines = [line.split() for line in file if line.startswith("Private_")]
    except OSError:
        return None
    return sum(int(parts[1]) for parts in lines) * 1024


def threads() -> int:
    """How many threads this process has, those of C libraries counted in; 0 if unknown."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("Threads:")), 0)
    except OSError:
        return 0


@quietly
def cv2_threads() -> int | None:
    """How many threads OpenCV would use here, or None where the program has not imported it."""
    cv2 = sys.modules.get("cv2")
    return int(cv2.getNumThreads()) if cv2 is not None else None


@quietly
def has_cuda() -> bool:
    """Whether CUDA was initialised in this process; asking does not initialise it."""
    cuda = _cuda()
    return bool(cuda is not None and cuda.is_initialized())


@quietly
def cuda_bytes() -> int:
    """GPU memory that torch has reserved in this process."""
    return int(_cuda().memory_reserved()) if has_cuda() else 0


def _cuda() -> Any:
    return getattr(sys.modules.get("torch"), "cuda", None)
