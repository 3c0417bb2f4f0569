"""What functions and objects of other files do with loaders: which ones they give, and which they iterate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Defined, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Expression, Frame, Scope, ScopeKind

if TYPE_CHECKING:
    from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader

_DEEPEST = 4
"""How many functions of other files are entered one from the next."""

_MOST = 400
"""How many calls and loops of other files are looked at for one line."""


class Elsewhere:
    """Follows loaders through the functions of other files, for the lines of this one that call them."""

    def __init__(self, names: Names, loaders: LoaderReader) -> None:
        self.names = names
        self.loaders = loaders
        self._left = _MOST

    def functions(self, call: Expression) -> list[Scope]:
        """The functions and methods of other files that a call runs."""
        leaves = self.names.callee(call) if self.names.imports is not None else []
        scopes = [leaf.scope for leaf in leaves if isinstance(leaf, Defined) and not self.names.is_own(leaf.scope)]
        return [scope for scope in scopes if scope.kind is ScopeKind.FUNCTION]

    def given(self, call: Expression) -> Iterator[LoaderCall]:
        """The loaders that a call of another file's function gives: alone, in a container, or inside an object.

        The line that asks is the one that makes them, or an object that has them; not one that only hands them on.
        """
        for leaf in self.names.sources(call) if self._is_followed(call) else ():
            yield from (loader for loader in self._of(leaf) if loader.site is not None)
            if isinstance(leaf, Literal) and not isinstance(leaf.node, cst.Call):
                for part in self.names.containers.elements(leaf.expression):
                    yield from (loader for loader in self._of(part) if loader.site is not None)

    def _is_followed(self, call: Expression) -> bool:
        leaves = self.names.callee(call)
        return any(isinstance(leaf, Defined) and self.names.may_give_loaders(leaf.scope) for leaf in leaves)

    def _of(self, leaf: Leaf) -> list[LoaderCall]:
        if not isinstance(leaf, Literal):
            return []
        loader = self.loaders.loader_call(leaf.expression)
        return [loader] if loader is not None else self.inside(leaf)

    def inside(self, leaf: Literal) -> list[LoaderCall]:
        """The loaders that a loop over an object of another file's class iterates."""
        scope = self.names.instance_of(leaf)
        method = self.names.method(scope, "__iter__") if scope is not None else None
        if method is None or self.names.is_own(method):
            return []
        return self._iterated_in(method, self.names.calls.frame(method, leaf.expression, leaf.expression), 0)

    def iterated(self, call: Expression) -> list[LoaderCall]:
        """The loaders that another file's function iterates when it is called."""
        self._left = _MOST
        return self._run(call, 0)

    def _run(self, call: Expression, depth: int) -> list[LoaderCall]:
        if depth >= _DEEPEST:
            return []
        functions = self.functions(call)
        return [one for f in functions for one in self._iterated_in(f, self.names.calls.frame(f, call), depth)]

    def _iterated_in(self, function: Scope, frame: Frame | None, depth: int) -> list[LoaderCall]:
        if frame is None:
            return []
        found: list[LoaderCall] = []
        for loop in self.names.loops_in(function):
            found += self.loaders.loaders_in(loop.within(frame)) if self._may_look() else []
        for call in self.names.calls_in(function):
            inner = call.within(frame)
            if not self._may_look():
                break
            if self.functions(inner):
                found += self._run(inner, depth + 1)
            elif self.loaders.iterates(inner):
                found += self.loaders.gone_through(inner)
        return found

    def _may_look(self) -> bool:
        self._left -= 1
        return self._left >= 0
