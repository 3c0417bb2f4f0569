"""The loops of a function that go through a loader again and again."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.facts.loaders import LoaderCall
from flake8_torchloader.reading.flow.leaves import Defined, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Block, Expression, Scope

_WRAPPERS = {"enumerate", "zip", "iter", "tqdm", "islice", "trange", "track"}
"""What goes through a loader as it is, and leaves its sampler alone."""

_ROUNDS = {"range", "trange", "count"}
_DEEPEST = 6


class Epochs:
    """Answers which loops of one file are epochs of a loader."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def iterations(self, loader: LoaderCall) -> list[Expression]:
        """The loops of this file that go through a loader, as it is or counted."""
        return [loop for loop in self.names.file.loops if self._is_over(loop, loader)]

    def _is_over(self, expression: Expression, loader: LoaderCall, depth: int = 0) -> bool:
        node = expression.node
        if isinstance(node, cst.Call) and last_name(node) in _WRAPPERS and depth < _DEEPEST:
            return any(self._is_over(expression.of(arg.value), loader, depth + 1) for arg in node.args)
        leaves = self.names.sources(expression) if isinstance(node, (cst.Name, cst.Attribute, cst.Call)) else []
        return any(isinstance(leaf, Literal) and leaf.node is loader.call.node for leaf in leaves)

    def of(self, loader: LoaderCall, function: Scope | None) -> Iterator[Block]:
        """The bodies of those loops of a function whose every round goes through a loader that is built outside."""
        for use in self.iterations(loader):
            for seen in (use, *self.callers(use)):
                if seen.spot.scope.function is function:
                    yield from (b for b in loops_around(seen) if not b.encloses(loader.call.spot.block))

    def anywhere(self, loader: LoaderCall) -> Iterator[Block]:
        """The bodies of those loops of the file whose every round goes through a loader that none of them builds.

        A loop of another function counts if what it goes through is known to be a loader made by this very line.
        """
        home = loader.call.spot.scope.function
        for use in self.iterations(loader):
            for seen in (use, *self.callers(use)):
                is_far = use.spot.scope.function is not home and not self._is_only(use, loader)
                for block in loops_around(seen) if not is_far else ():
                    if not self.builds(block, loader.call):
                        yield block

    def _is_only(self, expression: Expression, loader: LoaderCall) -> bool:
        """Whether what is gone through is a loader made there, and never anything unknown."""
        node = expression.node
        while isinstance(node, cst.Call) and last_name(node) in _WRAPPERS and node.args:
            node = node.args[0].value
        leaves = self.names.sources(expression.of(node))
        return bool(leaves) and all(isinstance(leaf, Literal) and leaf.node is loader.call.node for leaf in leaves)

    def builds(self, block: Block, call: Expression, depth: int = 0) -> bool:
        """Whether a round of a loop makes a call, by itself or in a function that it calls."""
        if block.encloses(call.spot.block) or depth > _DEEPEST:
            return True
        function = call.spot.scope.function
        sites = self.names.calls.sites(function) if function is not None else []
        return any(self.builds(block, site.call, depth + 1) for site in sites)

    def callers(self, use: Expression) -> list[Expression]:
        """The calls of the function that a line stands in, such as one that goes through a loader."""
        function = use.spot.scope.function
        if function is None:
            return []
        calls = (site.call for site in self.names.calls.sites(function))
        return [call for call in calls if any(_is(leaf, function) for leaf in self.names.callee(call))]

    def is_epoch(self, block: Block) -> bool:
        """Whether a loop counts rounds, of which there may be more than one: `for epoch in range(epochs)`, `while`."""
        if block.loop is None or not isinstance(block.loop.node, cst.For):
            return block.loop is not None
        counted = block.loop.node.iter
        while isinstance(counted, cst.Call) and last_name(counted) in _WRAPPERS - _ROUNDS and counted.args:
            counted = counted.args[0].value
        if not isinstance(counted, cst.Call) or last_name(counted) not in _ROUNDS:
            return False
        only = counted.args[0].value if len(counted.args) == 1 else None
        return not (isinstance(only, cst.Integer) and int(only.value, 0) <= 1)


def loops_around(expression: Expression) -> Iterator[Block]:
    """The bodies of the loops of its own function that an expression stands in, the innermost first."""
    block: Block | None = expression.spot.block
    while block is not None and block.scope is expression.spot.block.scope:
        if block.loop is not None:
            yield block
        block = block.parent


def _is(leaf: object, function: Scope) -> bool:
    return isinstance(leaf, Defined) and leaf.scope is function
