"""The record of the standing proof: it is whole at any time, whoever writes to it, and holds only what there is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_runs import made_run
from proof_record import Record

from flake8_torchloader.trial import Trial, Versions
from flake8_torchloader.verdict import Evidence, Outcome, Verdict

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="programs are run on Linux only")

NAMES = ("TLD101/bad_a.py", "TLD101/bad_b.py", "TLD201/bad_c.py")


def record(folder: Path, *names: str) -> Record:
    return Record(folder / "proofs.json", names or NAMES, folder)


def put(into: Record, name: str, text: str = "it crashed", *, torch: str = "2.13.0") -> None:
    verdict = Verdict(Outcome.CONFIRMED, evidence=(Evidence(Trial.FORK, f"{into.fixtures}/{name}: {text}"),))
    runs = (made_run(Trial.FORK, versions=Versions("3.11.7", version)) for version in ("", torch))
    into.put(name, {("TLD101", name, 3): verdict}, runs)


def read(made: Record) -> Any:
    return json.loads(made.file.read_text(encoding="ascii"))


def test_a_program_is_put_beside_the_others_and_replaces_its_own_past(tmp_path: Path) -> None:
    made = record(tmp_path)
    for name, text in ((NAMES[2], "a"), (NAMES[0], "b"), (NAMES[2], "c")):
        put(made, name, text)

    assert list(read(made)["programs"]) == [NAMES[0], NAMES[2]]
    assert read(made)["programs"][NAMES[2]] == [
        {"code": "TLD101", "line": 3, "outcome": "confirmed", "evidence": [f"fork: {NAMES[2]}: c"]}
    ]
    assert (read(made)["python"], read(made)["torch"], read(made)["cpus"]) == ("3.11.7", "2.13.0", 2)


def test_a_program_that_is_no_more_is_taken_out(tmp_path: Path) -> None:
    put(record(tmp_path), NAMES[0])
    renamed = record(tmp_path, *NAMES[1:])
    put(renamed, NAMES[1])

    assert list(read(renamed)["programs"]) == [NAMES[1]]


def test_with_another_torch_it_is_begun_anew_and_without_any_it_goes_on(tmp_path: Path) -> None:
    made = record(tmp_path)
    put(made, NAMES[0])
    put(made, NAMES[1], torch="")
    assert (list(read(made)["programs"]), read(made)["torch"]) == (list(NAMES[:2]), "2.13.0")

    put(made, NAMES[2], torch="2.14.1")
    assert (list(read(made)["programs"]), read(made)["torch"]) == ([NAMES[2]], "2.14.1")


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    names = [f"TLD101/bad_{number}.py" for number in range(40)]
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom test_proof_record import put, record\n"
        f"names = {names!r}\n"
        f"for name in names[int(sys.argv[1])::2]: put(record(Path({str(tmp_path)!r}), *names), name)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(number)]) for number in range(2)]

    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert list(read(record(tmp_path))["programs"]) == sorted(names)
    assert [path.name for path in tmp_path.iterdir()] == ["proofs.json"]
