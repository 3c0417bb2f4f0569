"""Puts all parts of the recorder in place, once in each process."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from . import audit, cap, executions, measure, natives, processes, stacks, wall
from .imports import Action, ImportWatcher
from .settings import SETTINGS
from .tell import tell


def _command() -> list[str]:
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(part)[:300] for part in file.read().split(b"\0")[:-1]][:20]
    except OSError:
        return list(sys.argv)


def _tell_fork() -> None:
    tell("process", how="forked", parent=os.getppid())


def _later(ours: str, name: str) -> Action:
    """An action of a module that is imported when it is needed: many processes of a program never import torch."""

    def act(module: Any) -> None:
        getattr(importlib.import_module(f".{ours}", __package__), name)(module)

    return act


def _tell_torch(module: Any) -> None:
    version = getattr(module, "version", None)
    cuda = str(getattr(version, "cuda", None) or getattr(version, "hip", None) or "")
    devices = measure.cuda_devices() if cuda else 0
    tell("torch", version=str(getattr(module, "__version__", "")), cuda=cuda, devices=devices or 0)


def _listeners() -> dict[str, audit.Listener]:
    return {"exec": executions.executed, "sys.excepthook": executions.uncaught, **wall.listeners(SETTINGS)}


def begin() -> None:
    """Watch this process, unless it is the resource tracker of `multiprocessing`, which only tidies up."""
    command = _command()
    if any("multiprocessing.resource_tracker" in part for part in command):
        return
    tell(
        "process",
        how="started",
        parent=os.getppid(),
        command=command,
        python=sys.version.split()[0],
        executable=sys.executable,
    )
    os.register_at_fork(after_in_child=_tell_fork)
    os.register_at_fork(after_in_child=cap.forget)
    stacks.install()
    audit.install(_listeners())
    executions.wrap_excepthook()
    ImportWatcher(
        {
            **processes.ACTIONS,
            **natives.actions(SETTINGS),
            "argparse": processes.watch_arguments,
            "torch": _tell_torch,
            "torch.cuda": _later("cuda", "watch_cuda"),
            "torch.accelerator": _later("cuda", "watch_questions"),
            "torch.nn.modules.module": _later("models", "watch_models"),
            "torch.utils.data._utils.worker": _later("workers", "watch_loop"),
            "torch.utils.data._utils.fetch": _later("workers", "watch_fetchers"),
            "torch.utils.data.dataloader": _later("loaders", "watch_loaders"),
        }
    ).install()
