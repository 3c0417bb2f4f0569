"""What stands in the place of a decorated function: often one that is defined inside the decorator."""

from __future__ import annotations

from flake8_torchloader.reading.flow.leaves import Defined
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Scope, ScopeKind


def stand_in(names: Names, function: Scope) -> Scope | None:
    """The nested function that a decorator of this project puts in the place of a module-level one.

    None where there is no such decorator, and where the nested function wears the other's name (`functools.wraps`).
    """
    for leaf in names.sources(function.decorators[0]) if function.decorators else ():
        decorator = leaf.scope if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION else None
        if decorator is None or _renames(names, decorator):
            continue
        for inner in (inner for returned in decorator.returns for inner in names.sources(returned)):
            if isinstance(inner, Defined) and inner.scope.kind is ScopeKind.FUNCTION and _is_bare(inner.scope):
                return inner.scope
    return None


def _is_bare(function: Scope) -> bool:
    return function.is_local and function.owner is None and not function.decorators


def _renames(names: Names, decorator: Scope) -> bool:
    return any(names.callee_name(call) == "functools.update_wrapper" for call in names.calls_in(decorator))
