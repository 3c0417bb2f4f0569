"""One file for each hazard, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from flake8_torchloader.rule import Rule

FAMILY = "TLD"
"""What all codes begin with."""


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule there is, by code: a rule is found by its file being there."""
    for entry in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{entry.name}")
    return tuple(sorted(Rule.__subclasses__(), key=lambda rule: rule.code))


def default_codes() -> frozenset[str]:
    """The codes that are looked for where none are named: all but the opt-in ones."""
    return frozenset(rule.code for rule in all_rules() if not rule.is_opt_in)


def is_named(code: str, prefixes: Iterable[str]) -> bool:
    """Whether one of the prefixes means this code by more than the name of the whole family."""
    return any(code.startswith(prefix) and len(prefix) > len(FAMILY) for prefix in prefixes)
