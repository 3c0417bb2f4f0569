"""Work spread over processes: the order of results, deaths, and interruptions."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from flake8_torchloader.choosing.config import Config
from flake8_torchloader.jobs import processes_for, spread
from flake8_torchloader.linted import Linted
from flake8_torchloader.sources import lint_paths

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""


def work(item: int) -> tuple[int, int]:
    """Take longer for some items than for others, and die of one."""
    if item == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.002 * (item % 3))
    return item, os.getpid()


def make() -> Callable[[int], tuple[int, int]]:
    return work


def lost(item: int) -> tuple[int, int]:
    return item, 0


def test_results_come_in_the_order_of_the_work() -> None:
    found = list(spread(make, range(14, 214), 3, lost))

    assert [item for item, _ in found] == list(range(14, 214))
    assert len({pid for _, pid in found}) == 3
    assert multiprocessing.active_children() == []


def test_only_what_a_process_dies_of_is_lost() -> None:
    found = list(spread(make, range(100), 2, lost))

    assert [item for item, _ in found] == list(range(100))
    assert [item for item, pid in found if pid == 0] == [13]
    assert multiprocessing.active_children() == []


def test_who_stops_listening_ends_the_processes() -> None:
    results = spread(make, range(20, 1000), 2, lost)
    next(results)
    results.close()

    assert multiprocessing.active_children() == []


def test_one_process_is_this_one() -> None:
    assert {pid for _, pid in spread(make, range(5), 1, lost)} == {os.getpid()}


def test_processes_are_started_where_they_pay_off() -> None:
    assert [processes_for(count, 3) for count in (0, 1, 2, 100)] == [1, 1, 2, 3]
    assert [processes_for(count, 0) for count in (0, 10)] == [1, 1]
    assert 1 <= processes_for(100_000, 0) <= (os.cpu_count() or 1)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_every_start_method_finds_the_same(tmp_path: Path, method: str) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.py").write_text(LAMBDA if number % 2 else "", encoding="utf-8")
    program = (
        "import multiprocessing, sys\n"
        "from flake8_torchloader.command.cli import main\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method(sys.argv[1])\n"
        "    raise SystemExit(main(sys.argv[2:]))\n"
    )
    (tmp_path / "run").write_text(program, encoding="utf-8")
    command = [sys.executable, "run", method, "--output-format=concise", "--jobs=2", "."]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert (ended.returncode, ended.stderr) == (1, "")
    assert [line.split(":")[0] for line in ended.stdout.splitlines()] == [f"{n:02}.py" for n in range(1, 40, 2)]


def test_more_processes_find_the_same(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.py").write_text(LAMBDA, encoding="utf-8")
    paths = [tmp_path, tmp_path / "absent.py"]
    one, three = (list(lint_paths(paths, Config(jobs=jobs))) for jobs in (1, 3))

    assert one == three
    assert [len(found.findings) for found in one if isinstance(found, Linted)] == [1] * 5


def _notice_interruptions() -> None:
    """What runs in the background of a shell ignores them, and so do we if the tests do."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it looks for the processes in /proc")
def test_an_interruption_ends_all_processes_at_once(tmp_path: Path) -> None:
    big = LAMBDA + "".join(f"def f{n}(x):\n    return DataLoader(x, num_workers={n})\n" for n in range(4000))
    for number in range(12):
        (tmp_path / f"{number}.py").write_text(big, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "flake8_torchloader", "--jobs=2", "--output-format=json", "-o", "out.json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=_notice_interruptions,
    )  # fmt: skip
    wait_for(partial(has_children, process.pid, 2))
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)

    assert time.monotonic() - began < 5
    assert (process.returncode, out, err) == (130, "", "torchloader: interrupted\n")
    assert not members(process.pid)
    assert not list(tmp_path.glob("*json*"))


def members(session: int) -> list[str]:
    """The processes of a session that are alive."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[3] == str(session) and fields[0] not in "ZX":
            alive.append(stat.parent.name)
    return alive


def has_children(pid: int, count: int) -> bool:
    return len(members(pid)) > count


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
