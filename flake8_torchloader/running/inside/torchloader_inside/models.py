"""Models that are built while a module of the user is being imported."""

from __future__ import annotations

import functools
from types import FrameType
from typing import Any

from .sites import sites_since_import
from .tell import quietly, tell

_MOST = 100

_told: set[str] = set()


def watch_models(module: Any) -> None:
    """Tell of each model once for each way that leads to it; the layers that a model builds for itself do not count."""
    base = module.Module
    original = base.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _tell_model(base)
        original(self, *args, **kwargs)

    base.__init__ = __init__


@quietly
def _tell_model(base: type) -> None:
    if len(_told) >= _MOST:
        return
    sites = sites_since_import(functools.partial(_is_model_init, base))
    if sites and repr(sites) not in _told:
        _told.add(repr(sites))
        tell("model", sites=sites)


def _is_model_init(base: type, frame: FrameType) -> bool:
    """Whether a frame is the `__init__` of a model: what it builds belongs to that model."""
    return frame.f_code.co_name == "__init__" and isinstance(frame.f_locals.get("self"), base)
