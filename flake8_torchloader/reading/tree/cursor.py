"""Where the walk stands: the scope, block and statement that hold what is being visited."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from flake8_torchloader.reading.tree.scopes import (
    Block,
    Expression,
    Running,
    Scope,
    ScopeKind,
    Spot,
)
from flake8_torchloader.reading.tree.walk import Step


class Cursor:
    """Keeps the spot while scopes and branches are entered and left."""

    def __init__(self, module: cst.Module) -> None:
        self.scope = Scope(ScopeKind.MODULE, "<module>", module, None)
        self._order = 0
        block = Block(self.scope, None, Running.ALWAYS)
        self._spot = Spot(self.scope, block, 0, Running.ALWAYS, 0)
        self._outer: list[Spot] = []
        self._scopes = [self.scope]

    def _at(self, node: cst.CSTNode) -> Expression:
        return Expression(node, self._spot)

    def _new_scope(self, kind: ScopeKind, name: str, node: cst.CSTNode) -> Scope:
        scope = Scope(kind, name, node, self._spot.scope, self._spot)
        self._scopes.append(scope)
        return scope

    def forget(self) -> None:
        """Forget all that the scopes hold: it leads back to them, and only the garbage collector would free it."""
        for scope in self._scopes:
            scope.forget()

    def _next(self, top: int | None = None) -> None:
        """Begin a statement: it has an order of its own and runs as its block now does."""
        self._order += 1
        spot = self._spot
        here = spot.top if top is None else top
        self._spot = Spot(spot.scope, spot.block, self._order, spot.block.running, here)

    def _inside(self, steps: Iterable[Step], block: Block) -> list[Step]:
        def enter() -> None:
            self._outer.append(self._spot)
            self._spot = Spot(block.scope, block, self._order, block.running, self._spot.top)

        def leave() -> None:
            self._spot = self._outer.pop()

        return [enter, *steps, leave]

    def _branch(
        self,
        body: cst.CSTNode | None,
        running: Running | None = None,
        test: cst.CSTNode | None = None,
        loop: cst.CSTNode | None = None,
    ) -> list[Step]:
        if body is None:
            return []
        spot = self._spot
        repeated = None if loop is None else self._at(loop)
        return self._inside([body], Block(spot.scope, spot.block, running or spot.running, test, repeated))

    def _scoped(self, scope: Scope, steps: Iterable[Step]) -> list[Step]:
        return self._inside(steps, Block(scope, self._spot.block, Running.ALWAYS))
