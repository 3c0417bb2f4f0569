"""From text to findings."""

from __future__ import annotations

import ast
import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from flake8_torchloader.finding import Elsewhere, Finding, Note
from flake8_torchloader.module import Module
from flake8_torchloader.rule import Hazard, Rule
from flake8_torchloader.rules import all_rules, default_codes
from flake8_torchloader.settings import Settings

DEFAULTS = Settings()

_NOTHING = Module()


def lint(
    text: str,
    path: str,
    settings: Settings = DEFAULTS,
    rules: Collection[str] | None = None,
    tree: ast.Module | None = None,
    *,
    is_notebook: bool = False,
) -> list[Finding]:
    """The findings of one file, in the order of its text.

    `rules` are the codes to look for (None: all but the opt-in ones); `tree` is the file's `ast` where the caller has
    it. If `path` is that of a file, its imports from the same project are followed. The program of a notebook is run by
    its kernel, and never again by a worker. Nothing is raised for what a file may hold: one that can't be read gives
    one TLD000.
    """
    codes = default_codes() if rules is None else rules
    chosen = [rule for rule in all_rules() if rule.code in codes]
    with _no_garbage_collection():
        return _lint(text, path, settings, chosen, tree, is_notebook=is_notebook) if chosen else []


def _lint(
    text: str, path: str, settings: Settings, rules: list[type[Rule]], tree: ast.Module | None, *, is_notebook: bool
) -> list[Finding]:
    from flake8_torchloader.reading import read

    module = read(text, tree, path, settings, is_notebook=is_notebook)
    try:
        says_nothing = module == _NOTHING
        found = () if says_nothing else (_findings(rule(settings), module) for rule in rules)
        return sorted({finding for findings in found for finding in findings})
    finally:
        module.forget()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Python would look through the growing tree again and again, and all of it is in use."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _findings(rule: Rule, module: Module) -> Iterator[Finding]:
    for hazard in rule.check(module):
        if rule.suffering(hazard):
            yield _finding(rule, hazard, module)


def _finding(rule: Rule, hazard: Hazard, module: Module) -> Finding:
    places = [(module.elsewhere(site), site, text) for site, text in hazard.notes]
    notes = tuple(Note(module.span(site), text) for place, site, text in places if place is None)
    elsewhere = tuple(Elsewhere(*place, text) for place, _, text in places if place is not None)
    span = module.span(hazard.site)
    return Finding(span, rule.code, rule.render(hazard, module), notes, rule.suffering(hazard), elsewhere)
