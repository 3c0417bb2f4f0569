"""Find the hazards of PyTorch DataLoader worker processes in source code.

Programs use `lint`, `lint_paths`, `read_config` and `verify`, and the records that these take and give. Each name is
imported when it is first used, because flake8 and pytest import this package in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from flake8_torchloader.api import (
        BadConfig,
        Config,
        Entry,
        Finding,
        Limits,
        Linted,
        Note,
        Outcome,
        Problem,
        Proof,
        Span,
        StartMethod,
        Verdict,
        Verification,
        lint,
        lint_paths,
        read_config,
        verify,
    )

__all__ = [
    "BadConfig", "Config", "Entry", "Finding", "Limits", "Linted", "Note", "Outcome", "Problem", "Proof", "Span",
    "StartMethod", "Verdict", "Verification", "lint", "lint_paths", "read_config", "verify",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Import what programs use when they use it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from flake8_torchloader import api

    return getattr(api, name)


def __dir__() -> list[str]:
    """The names of the package, with those that are not imported yet."""
    return sorted({*globals(), *__all__})
