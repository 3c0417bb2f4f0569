"""Cheap measurements that a process takes of itself."""

from __future__ import annotations

import os
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
    """GPU memory that torch has reserved in this process, on all devices."""
    return sum(int(_cuda().memory_reserved(device)) for device in _initialised_devices())


@quietly
def cuda_allocations() -> int:
    """How often this process has asked torch for memory of a GPU; what was freed again counts as well."""
    stats = (_cuda().memory_stats(device) for device in _initialised_devices())
    return sum(int(one.get("allocation.all.allocated", 0)) for one in stats)


def _initialised_devices() -> range:
    return range(_cuda().device_count() if has_cuda() else 0)


@quietly
def cuda_devices() -> int:
    """How many CUDA devices a program may use.

    Torch is asked for the count that NVML or AMD's SMI gives: it takes the variables of the environment that hide
    devices into account, and does not spoil CUDA for forked processes, as asking CUDA itself would. Where that library
    is missing, the nodes in /dev are counted, of which Windows' subsystem for Linux has one for all.
    """
    name = "_device_count_amdsmi" if sys.modules["torch"].version.hip else "_device_count_nvml"
    ask = getattr(_cuda(), name, None)
    counted = int(ask()) if ask is not None else -1
    nodes = (one for one in os.listdir("/dev") if one in ("kfd", "dxg") or one[:6] == "nvidia" and one[6:].isdigit())
    return counted if counted >= 0 else sum(1 for _ in nodes)


def _cuda() -> Any:
    return getattr(sys.modules.get("torch"), "cuda", None)
