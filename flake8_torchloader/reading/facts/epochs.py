"""The loops of a function that go through a loader again and again."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.relevance import tells_epochs
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Block, Expression, Scope

_WRAPPERS = {"enumerate", "zip", "iter", "tqdm", "islice", "trange", "track"}
"""What goes through a loader as it is, and leaves its sampler alone."""

_ROUNDS = {"range", "trange", "count"}
_DEEPEST = 6


class Epochs:
    """Answers which loops of one file are epochs of a loader."""

    def __init__(self, names: Names, loaders: LoaderReader) -> None:
        self.names = names
        self.loaders = loaders
        self._known: dict[LoaderCall, list[Expression]] = {}

    def iterations(self, loader: LoaderCall) -> list[Expression]:
        """What goes through a loader, as it is or counted: loops of this file, and what it gives to functions that do.

        Functions of other files that tell the epoch count for none.
        """
        if loader not in self._known:
            loops = [loop for loop in self.names.file.loops if self._is_over(loop, loader)]
            self._known[loader] = [*loops, *self._given(loader)]
        return self._known[loader]

    def _given(self, loader: LoaderCall) -> Iterator[Expression]:
        """The arguments by which functions of other files get a loader that they go through."""
        elsewhere = self.loaders.elsewhere
        for call in self.names.file.calls:
            files = [self.names.other_file(function) for function in elsewhere.functions(call)]
            if not files or any(file is None or tells_epochs(file.text) for file in files):
                continue
            args = call.node.args if isinstance(call.node, cst.Call) else ()
            given = [at for arg in args if self._is_over(at := call.of(arg.value), loader)]
            if given and any(one.call.node is loader.call.node for one in elsewhere.iterated(call)):
                yield from given

    def _is_over(self, expression: Expression, loader: LoaderCall) -> bool:
        return any(isinstance(leaf, Literal) and leaf.node is loader.call.node for leaf in self._behind(expression))

    def _behind(self, expression: Expression, depth: int = 0) -> Iterator[Leaf]:
        """What is gone through, behind what only counts it or shows how far it is, by whatever name that goes."""
        node = expression.node
        if depth > _DEEPEST:
            return
        if isinstance(node, cst.Call) and last_name(node) in _WRAPPERS:
            for arg in node.args:
                if arg.keyword is None or arg.keyword.value == "iterable":
                    yield from self._behind(expression.of(arg.value), depth + 1)
        elif isinstance(node, (cst.Name, cst.Attribute, cst.Call)):
            for leaf in self.names.sources(expression):
                is_wrapped = isinstance(leaf, Literal) and leaf.node is not node and isinstance(leaf.node, cst.Call)
                if isinstance(leaf, Literal) and is_wrapped and last_name(leaf.node) in _WRAPPERS:
                    yield from self._behind(leaf.expression, depth + 1)
                else:
                    yield leaf

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
        made = loader.site or loader.call
        for use in self.iterations(loader):
            for seen in (use, *self.callers(use)):
                is_far = use.spot.scope.function is not made.spot.scope.function and not self._is_only(use, loader)
                for block in loops_around(seen) if not is_far else ():
                    if not self.builds(block, made):
                        yield block

    def _is_only(self, expression: Expression, loader: LoaderCall) -> bool:
        """Whether what is gone through is a loader made there, and never anything unknown."""
        node = expression.node
        while isinstance(node, cst.Call) and last_name(node) in _WRAPPERS and node.args:
            node = node.args[0].value
        leaves = [leaf for leaf in self._behind(expression.of(node)) if leaf != Imported("builtins.None")]
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
