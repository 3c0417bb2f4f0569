"""Functions that write files from C or C++, which no audit event tells of: the wall is put before them by hand."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from .imports import Action
from .settings import Settings
from .wall import refuse_write


def actions(settings: Settings) -> dict[str, Action]:
    """What to do after which import, unless writing is allowed anyway."""
    if settings.allow_write:
        return {}
    return {"torch.serialization": _guard_torch, "cv2": _guard_cv2, "h5py._hl.files": _guard_h5py}


def _guarded(original: Callable[..., Any], name: str, position: int) -> Callable[..., Any]:
    @functools.wraps(original)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        path = args[position] if len(args) > position else None
        if isinstance(path, (str, os.PathLike)):
            refuse_write(name, os.fspath(path))
        return original(*args, **kwargs)

    return guarded


def _guard_torch(module: Any) -> None:
    opener = module._open_zipfile_writer
    module._open_zipfile_writer = _guarded(opener, "torch.save", 0)


def _guard_cv2(module: Any) -> None:
    module.imwrite = _guarded(module.imwrite, "cv2.imwrite", 0)


def _guard_h5py(module: Any) -> None:
    base = module.File
    original = base.__init__

    @functools.wraps(original)
    def __init__(self: Any, name: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
        if mode != "r" and isinstance(name, (str, bytes, os.PathLike)):
            refuse_write("h5py.File", os.fspath(name))
        original(self, name, mode, *args, **kwargs)

    base.__init__ = __init__
