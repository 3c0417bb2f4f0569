"""What it costs to verify a small script under all trials, against one bare run of it with its workers.

    python benchmarks/verify_cost.py
    python benchmarks/verify_cost.py --repeats 5 --python .venv/bin/python --check
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from flake8_torchloader.running.launch import run
from flake8_torchloader.running.program import Program, Script
from flake8_torchloader.trial import Ending, Trial

FACTOR, SECONDS = 6, 10.0
"""Verifying may take so many times the bare run, and so many seconds."""

TRIALS = (Trial.CONTROL, Trial.FORK, Trial.FORKSERVER, Trial.SPAWN)
"""All that are always run if a rule asks for them; REIMPORT follows only where these leave a finding undecided."""

SCRIPT = """\
import torch
from torch.utils.data import DataLoader, Dataset


class Noise(Dataset):
    def __init__(self):
        self.noise = torch.zeros(1024, 1024)

    def __len__(self):
        return 64

    def __getitem__(self, index):
        return self.noise[index, :8]


model = torch.nn.Linear(8, 1)

if __name__ == "__main__":
    loader = DataLoader(Noise(), batch_size=4, num_workers=2)
    for epoch in range(2):
        for batch in loader:
            model(batch).sum().backward()
"""
"""A small training script with two workers."""


@dataclass(frozen=True)
class Pair:
    """A bare run and a verification beside each other, in seconds of wall clock."""

    bare: float
    verified: float

    @property
    def limit(self) -> float:
        """The seconds that the verification may take."""
        return FACTOR * self.bare + SECONDS


def bare_run(python: Path, script: Path) -> float:
    """How long the script takes by itself; raise RuntimeError if it fails."""
    began = time.monotonic()
    done = subprocess.run([python, script], cwd=script.parent, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{python} {script.name} ended with {done.returncode}:\n{done.stderr}")
    return time.monotonic() - began


def verification(python: Path, script: Path) -> float:
    """How long all trials of the script take, one after the other; raise RuntimeError if one was not carried out."""
    began = time.monotonic()
    for trial in TRIALS:
        seen = run(Program(Script(script), python, script.parent), trial)
        if seen.ending not in (Ending.FINISHED, Ending.CAPPED):
            raise RuntimeError(f"{trial.value}: {seen.ending.value}\n{seen.text}")
    return time.monotonic() - began


def measure(python: Path, repeats: int) -> Iterator[Pair]:
    """Run the script and verify it in turn, after a run that fills the caches."""
    with tempfile.TemporaryDirectory() as name:
        script = Path(name, "train.py")
        script.write_text(SCRIPT, encoding="utf-8")
        bare_run(python, script)
        for _ in range(repeats):
            bare = bare_run(python, script)
            yield Pair(bare, verification(python, script))


def describe(pairs: Sequence[Pair]) -> str:
    """Medians, and what the verification was allowed to take."""
    bare, verified = (median(times) for times in zip(*((pair.bare, pair.verified) for pair in pairs)))
    limit = median(pair.limit for pair in pairs)
    return "\n".join(
        [
            f"bare run      {bare:7.2f} s",
            f"verification  {verified:7.2f} s, {verified / bare:.1f} times as long",
            f"allowed       {limit:7.2f} s, {FACTOR} times and {SECONDS:.0f} s ({len(pairs)} pairs)",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; with `--check` the exit status is 1 if it took longer than allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="an interpreter with torch (default: this one)")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs (default: 3)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if it takes longer than allowed")
    arguments = parser.parse_args(argv)
    pairs = list(measure(Path(os.path.abspath(arguments.python)), arguments.repeats))
    print(describe(pairs))
    return int(arguments.check and median(pair.verified - pair.limit for pair in pairs) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
