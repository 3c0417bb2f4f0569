"""Who asks for a CUDA device, and who is about to use one: what never does either runs alike with and without one."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from .sites import calling_site
from .tell import quietly, tell

_QUESTIONS = ("is_available", "device_count", "current_accelerator")
_MOST = 50
_OWN = ("torch.cuda", "torch.accelerator", __package__ or "torchloader_inside")

_told: set[str] = set()


def watch_questions(module: Any) -> None:
    """Tell of each line that asks `torch.cuda` or `torch.accelerator` for a device."""
    for name in _QUESTIONS:
        if hasattr(module, name):
            setattr(module, name, _asking(getattr(module, name), f"{module.__name__}.{name}"))


def watch_cuda(module: Any) -> None:
    """Tell also of each line that makes torch initialise CUDA: C++ does so by way of `_lazy_init` as well."""
    watch_questions(module)
    module._lazy_init = _initialising(module, module._lazy_init)


def _asking(original: Callable[..., Any], call: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def asking(*args: Any, **kwargs: Any) -> Any:
        if not _is_by_torch():
            _tell_asked(call)
        return original(*args, **kwargs)

    return asking


def _initialising(module: Any, original: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(original)
    def _lazy_init() -> None:
        if not module._initialized:
            _tell_asked("torch.cuda.init")
        original()

    return _lazy_init


def _is_by_torch() -> bool:
    """Whether torch asks for purposes of its own, such as pinning memory, and not the program or another library."""
    frame: Any = sys._getframe(2)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_OWN):
        frame = frame.f_back
    return frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "torch"


@quietly
def _tell_asked(call: str) -> None:
    site = calling_site()
    key = f"{call} {site}"
    if key not in _told and len(_told) < _MOST:
        _told.add(key)
        tell("cuda_asked", call=call, site=site)
