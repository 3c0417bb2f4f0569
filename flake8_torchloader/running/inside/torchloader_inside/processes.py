"""What `multiprocessing` does: the default start method, what a new process is sent, and what it runs again."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from . import measure
from .settings import SETTINGS
from .sites import absolute, failure
from .tell import clip, quietly, tell


def set_default_method(context: Any) -> None:
    """Change the default only: explicit choices of the program still win, and keep their real errors."""
    if SETTINGS.start_method:
        context._default_context._default_context = context._concrete_contexts[SETTINGS.start_method]


def current_method() -> str:
    """The start method in force, asked without fixing it (`get_start_method` would)."""
    from multiprocessing import context

    default: Any = context._default_context
    return str((default._actual_context or default._default_context)._name)


def watch_main_again(spawn: Any) -> None:
    """Measure what it costs a new process to run the main module again."""
    for name in ("_fixup_main_from_path", "_fixup_main_from_name"):
        setattr(spawn, name, _measured(getattr(spawn, name)))


def _measured(fixup: Callable[[str], None]) -> Callable[[str], None]:
    @functools.wraps(fixup)
    def measured(main: str) -> None:
        began, before = time.monotonic(), measure.uss_bytes()
        try:
            fixup(main)
        except BaseException as error:
            _tell_main_again(main, time.monotonic() - began, before, failure(error))
            raise
        _tell_main_again(main, time.monotonic() - began, before, None)

    return measured


@quietly
def _tell_main_again(main: str, seconds: float, before: int | None, error: dict[str, Any] | None) -> None:
    after = measure.uss_bytes()
    grown = max(0, after - before) if before is not None and after is not None else 0
    tell(
        "main_again",
        path=absolute(main),
        seconds=round(seconds, 3),
        grown_bytes=grown,
        failure=error,
        cuda=measure.has_cuda(),
    )


def watch_payload(reduction: Any) -> None:
    """Tell how many bytes were pickled for a new process."""
    original = reduction.dump

    @functools.wraps(original)
    def dump(obj: Any, file: Any, protocol: int | None = None) -> None:
        original(obj, file, protocol)
        _tell_payload(obj, file)

    reduction.dump = dump


@quietly
def _tell_payload(obj: Any, file: Any) -> None:
    from multiprocessing.process import BaseProcess

    if isinstance(obj, BaseProcess) and hasattr(file, "getbuffer"):
        tell("payload", bytes=file.getbuffer().nbytes)


def watch_queues(queues: Any) -> None:
    """Tell of objects that a queue could not send: it only prints them, and the receiver waits for ever."""
    original = queues.Queue._on_queue_feeder_error

    def _on_queue_feeder_error(error: Exception, obj: object) -> None:
        tell("unsent", error=f"{type(error).__name__}: {clip(error)}")
        original(error, obj)

    queues.Queue._on_queue_feeder_error = staticmethod(_on_queue_feeder_error)


def watch_arguments(argparse: Any) -> None:
    """Tell what the program's argument parser complains about before it leaves."""
    original = argparse.ArgumentParser.error

    @functools.wraps(original)
    def error(self: Any, message: str) -> None:
        tell("needs_arguments", message=clip(message))
        original(self, message)

    argparse.ArgumentParser.error = error


ACTIONS = {
    "multiprocessing.context": set_default_method,
    "multiprocessing.spawn": watch_main_again,
    "multiprocessing.reduction": watch_payload,
    "multiprocessing.queues": watch_queues,
}
