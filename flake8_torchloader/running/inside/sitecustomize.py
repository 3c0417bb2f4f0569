"""Starts the recorder in every Python process of a watched program, then makes way for the user's own sitecustomize.

Python imports this module by itself because its folder stands first in PYTHONPATH. The folder is taken off `sys.path`
again, so that nothing in it can hide a module of the user; processes started later get it from the environment.
"""

import importlib
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _begin() -> None:
    """Load the recorder; a fault of ours must never break the program that is watched."""
    try:
        importlib.import_module("torchloader_inside.begin").begin()
    except Exception as error:  # the program goes on unwatched, which the controller notices
        sys.stderr.write(f"torchloader: the recorder did not start: {type(error).__name__}: {error}\n")


def _make_way() -> None:
    """Import the next sitecustomize on the path, as Python would have without us."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    ours = sys.modules.pop(__name__, None)
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        if ours is not None:
            sys.modules.setdefault(__name__, ours)


if os.environ.get("TORCHLOADER_RUN"):
    _begin()
    _make_way()
