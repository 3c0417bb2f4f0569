"""Runs that were never run, for what reads them."""

from __future__ import annotations

from dataclasses import fields

from flake8_torchloader.observed import Failure, Pass, Site, Stage
from flake8_torchloader.trial import Ending, Event, Run, Trial, Versions

MAIN = 100
WORKERS = (101, 102)


def made_run(trial: Trial, **given: object) -> Run:
    """A run that finished; everything that is not given is empty."""
    plain: dict[str, object] = {field.name: () for field in fields(Run)}
    plain |= {"ending": Ending.FINISHED, "status": 0, "seconds": 2.5, "main": MAIN, "crash": None, "cpus": 2}
    plain |= {"versions": Versions("3.11.7", "2.13.0"), "arguments_error": "", "text": "", "error": ""}
    plain |= {"survivors": 0, "unreadable_lines": 0, "events": (Event("process", MAIN, 0.1, {"how": "started"}),)}
    return Run(**{**plain, "trial": trial, **given})  # type: ignore[arg-type]


def made_pass(trial: Trial, **given: object) -> Pass:
    """An iteration that gave four batches, from two workers if the trial has any."""
    plain: dict[str, object] = {field.name: () for field in fields(Pass)}
    plain |= {"number": 1, "pid": MAIN, "loader": 1, "site": None, "start_method": trial.start_method}
    plain |= {"pids": WORKERS if trial.start_method else (), "stage": Stage.ENDED, "start_seconds": 0.1, "batches": 4}
    plain |= {"is_cut": False, "had_cuda": False, "failure": None, "devices": frozenset()}
    return Pass(**{**plain, **given})  # type: ignore[arg-type]


def made_failure(type: str, text: str, *sites: Site) -> Failure:
    """An exception of the main process."""
    return Failure(MAIN, type, text, sites)
