"""One file for each hazard, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from flake8_torchloader.rule import Rule


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule there is, by code: a rule is found by its file being there."""
    for entry in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{entry.name}")
    return tuple(sorted(Rule.__subclasses__(), key=lambda rule: rule.code))
