"""Memory and threads of processes, sampled from outside, so that they stay as they are."""

from __future__ import annotations

from collections.abc import Iterable

from flake8_torchloader.running.tree import PROC, Process


def uss_bytes(pid: int) -> int | None:
    """Memory that only this process holds; None if it is gone or may not be looked at."""
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def threads(pid: int) -> int:
    """How many threads a process has; 0 if it is gone."""
    try:
        text = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Threads:")), 0)


class Sampler:
    """Keeps, for each process, its first and largest memory in bytes, and its most threads."""

    def __init__(self) -> None:
        """Nothing is seen yet."""
        self.seen: dict[str, tuple[int, int, int]] = {}

    def sample(self, processes: Iterable[Process]) -> None:
        """Look at each process once."""
        for process in processes:
            memory = None if process.is_dead else uss_bytes(process.pid)
            if memory is None:
                continue
            first, peak, most = self.seen.get(str(process.pid), (memory, memory, 0))
            self.seen[str(process.pid)] = (first, max(peak, memory), max(most, threads(process.pid)))
