"""The loops of a file: which one runs a line again and again, and whether for each batch or for each epoch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from flake8_torchloader.reading.facts.loaders import LoaderReader
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.tree.guards import ends, last_name
from flake8_torchloader.reading.tree.scopes import Block, Expression, How, ScopeKind
from flake8_torchloader.reading.tree.walk import below

_FEW = 5
"""A loop that runs no more often than this restarts nothing worth speaking of."""

_DEEPEST = 3
"""How many calls are followed back to a loop."""

_MOST = 8
"""How many calls of one function are looked at."""

_DISPLAYS = (cst.List, cst.Tuple, cst.Set, cst.Dict)
_EPOCH = re.compile(r"epoch|^ep$", re.IGNORECASE)
"""What the variable of a loop is called that runs once for each pass over the data."""

_ONCE = re.compile(r"fold|phase|split|round|trial|seed|task|domain|model|worker|size", re.IGNORECASE)
"""What the variable of a loop is called that does the whole work anew, each time with something else."""

_TRAINING = re.compile(r"train|fit|run|eval|valid|test|predict", re.IGNORECASE)

_BATCHES = re.compile(r"load|data|batch|iter|dl$|queue", re.IGNORECASE)
"""What a loop goes through, by its name, that runs once for each batch."""

_WHOLE = re.compile(r"epoch|fit|evaluat|validat|^test|^eval_|rollout", re.IGNORECASE)
"""Functions that go through all the data, by their name."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop: what it goes through (None for `while`), its variables, and its body (None for a comprehension)."""

    iterated: Expression | None
    target: cst.CSTNode | None
    block: Block | None

    @property
    def is_left(self) -> bool:
        """Whether the loop ends with its first round if all goes well."""
        node = self.block.loop.node if self.block is not None and self.block.loop is not None else None
        return isinstance(node, (cst.For, cst.While)) and ends(node.body)

    def holds(self, expression: Expression) -> bool:
        """Whether an expression stands in the body."""
        return self.block is not None and self.block.encloses(expression.spot.block)


class Repetition:
    """Answers how often the lines of one file are run."""

    def __init__(self, names: Names, values: Values, places: Places, loaders: LoaderReader) -> None:
        self.names = names
        self.values = values
        self.places = places
        self.loaders = loaders
        self._goes_through: dict[Block, bool] = {}

    # --- loops

    @staticmethod
    def _loop(block: Block) -> Loop | None:
        node = block.loop.node if block.loop is not None else None
        if block.loop is not None and isinstance(node, cst.For):
            return Loop(block.loop.of(node.iter), node.target, block)
        return Loop(None, None, block) if node is not None else None

    def innermost(self, expression: Expression) -> Loop | None:
        """The loop whose every round surely runs an expression."""
        scope = expression.spot.scope
        if scope.kind is ScopeKind.COMPREHENSION and isinstance(scope.node, (cst.ListComp, cst.GeneratorExp)):
            part = scope.node.for_in
            is_plain = not part.ifs and part.inner_for_in is None
            return Loop(expression.of(part.iter), part.target, None) if is_plain else None
        return self._loop(expression.spot.block)

    def around(self, expression: Expression) -> Iterator[Loop]:
        """Every loop of its own function that an expression stands in, innermost first."""
        return filter(None, map(self._loop, _outward(expression.spot.block)))

    def is_short(self, loop: Loop, few: int = _FEW) -> bool:
        """Whether a loop is seen to run a few times only: over a display, or over a small range."""
        if loop.iterated is None:
            return False
        leaves = [leaf.expression for leaf in self.names.sources(loop.iterated) if isinstance(leaf, Literal)]
        return bool(leaves) and all(self._is_short(one, few) for one in leaves)

    def _is_short(self, iterated: Expression, few: int) -> bool:
        node = iterated.node
        if isinstance(node, _DISPLAYS):
            return True
        if not isinstance(node, cst.Call) or not node.args:
            return False
        if last_name(node) in ("items", "values", "keys", "enumerate", "zip", "product"):
            inner = node.func.value if isinstance(node.func, cst.Attribute) else node.args[0].value
            return self.is_short(Loop(iterated.of(inner), None, None), few)
        bound = self.values.value(iterated.of(node.args[-1 if len(node.args) == 1 else 1].value)).only
        is_range = self.names.callee_name(iterated) == "builtins.range"
        return is_range and isinstance(bound, (int, float)) and bound <= few

    # --- steps and epochs

    def is_step(self, site: Expression, mention: Expression, firsts: set[int], depth: int = 0) -> bool:
        """Whether a line surely runs once for each batch, of the loader that `mention` says, always the same one.

        `firsts` are the expressions that take but one batch of a loader.
        """
        loop = self.innermost(site)
        if loop is not None:
            return self._takes_steps(loop, firsts) and not _is_seldom(loop) and not self.varies(mention, loop)
        function = site.spot.block.scope
        if function.kind is not ScopeKind.FUNCTION or not _is_top(site.spot.block) or depth > _DEEPEST:
            return False
        for called in self.names.calls.sites(function)[:_MOST]:
            names = {node.value for node in below(mention.node) if isinstance(node, cst.Name)}
            passed = [p for p in function.parameters if p.name in names and p.name != function.receiver]
            given = [self.names.calls.given(called, parameter) for parameter in passed]
            mentions = [one for one in given if one is not None] or [called.call.of(_func(called.call))]
            if len(given) == len(passed) and all(self.is_step(called.call, m, firsts, depth + 1) for m in mentions):
                return True
        return False

    def _takes_steps(self, loop: Loop, firsts: set[int]) -> bool:
        target = {node.value for node in below(loop.target) if isinstance(node, cst.Name)} if loop.target else set()
        if self.is_short(loop) or loop.is_left or any(_ONCE.search(name) for name in target):
            return False
        if any(_EPOCH.search(name) for name in target) and self._is_busy(loop):
            return False
        if loop.block is None:
            return True
        if loop.block not in self._goes_through:
            self._goes_through[loop.block] = any(self._goes_through_data(loop, firsts))
        return not self._goes_through[loop.block]

    def _is_busy(self, loop: Loop) -> bool:
        """Whether a round holds other loops, or calls what may hold some: one that is called an epoch is one then."""
        blocks = (inner.spot.block for inner in self.names.file.calls if loop.holds(inner))
        has_loops = any(block is not loop.block and block.loop is not None for block in blocks)
        calls = (call.node for call in self.names.file.calls if loop.holds(call) and isinstance(call.node, cst.Call))
        return has_loops or any(_TRAINING.search(last_name(call)) and len(call.args) > 1 for call in calls)

    def _goes_through_data(self, loop: Loop, firsts: set[int]) -> Iterator[bool]:
        """Whether the body of a loop goes through a loader in turn, so that it is one epoch."""
        for inner in self.names.file.loops:
            if loop.holds(inner) and id(inner.node) not in firsts:
                yield any(_BATCHES.search(n.value) for n in below(inner.node) if isinstance(n, cst.Name))
        for loader in self.loaders.calls:
            yield any(loop.holds(use) and id(use.node) not in firsts for use in loader.uses)
        for call in self.names.file.calls:
            if loop.holds(call):
                yield bool(_WHOLE.search(last_name(call.node))) or self._calls_whole(call, firsts)

    def _calls_whole(self, call: Expression, firsts: set[int]) -> bool:
        functions = self.places.below(target for target, _ in self.names.calls.targets(call))
        if not functions:
            return False
        uses = [use for loader in self.loaders.calls for use in loader.uses if id(use.node) not in firsts]
        return any(use.spot.scope.function in functions for use in uses)

    def varies(self, mention: Expression, loop: Loop, depth: int = 0) -> bool:
        """Whether what an expression means depends on what the loop binds."""
        for node in below(mention.node):
            if not isinstance(node, cst.Name):
                continue
            _, bindings = mention.spot.scope.find(node.value)
            if loop.block is None:
                if loop.target is not None and any(n.deep_equals(node) for n in below(loop.target)):
                    return True
                continue
            for binding in bindings:
                is_target = binding.how is How.ELEMENT and binding.value is not None and loop.iterated is not None
                if is_target and binding.value is not None and loop.iterated is not None:
                    if binding.value.node is loop.iterated.node:
                        return True
                if not loop.block.encloses(binding.spot.block):
                    continue
                is_followed = binding.how is How.VALUE and binding.value is not None and depth < _DEEPEST
                if not is_followed or binding.value is None or self.varies(binding.value, loop, depth + 1):
                    return True
        return False

    def repeats(self, use: Expression, built: Expression, seen: frozenset[int] = frozenset()) -> bool:
        """Whether a loop goes through a loader again and again that is built outside of it."""
        is_loop = last_name(use.node) == "iter" or any(use is one for one in self.names.file.loops)
        for loop in self.around(use):
            if loop.holds(built):
                return False
            if not self.is_short(loop, few=1) and not (is_loop and self._binds(loop, use)):
                return True
        function = use.spot.scope.function
        if function is None or function is built.spot.scope.function or id(function) in seen or len(seen) > _DEEPEST:
            return False
        sites = self.names.calls.sites(function)[:_MOST]
        return any(self.repeats(site.call, built, seen | {id(function)}) for site in sites)

    def _binds(self, loop: Loop, use: Expression) -> bool:
        """Whether a loop gives another loader in each round: `for loader in loaders`."""
        bound = {node.value for node in below(loop.target) if isinstance(node, cst.Name)} if loop.target else set()
        names = (node for node in below(use.node) if isinstance(node, cst.Name) and node.value in bound)
        return any(self.loaders.loaders_in(use.of(name)) for name in names)


def _func(call: Expression) -> cst.CSTNode:
    return call.node.func if isinstance(call.node, cst.Call) else call.node


def _outward(block: Block | None) -> Iterator[Block]:
    """A block and those of the same scope that it stands in, the innermost first."""
    while block is not None:
        yield block
        block = block.parent if not _is_top(block) else None


def _is_seldom(loop: Loop) -> bool:
    """Whether a loop stands under a condition in another one, as what shows a few samples now and then does."""
    around = list(_outward(loop.block))[1:]
    outer = next((place for place, block in enumerate(around) if block.loop is not None), 0)
    return any(block.test is not None for block in around[:outer])


def _is_top(block: Block) -> bool:
    """Whether a block is the body of its function itself."""
    return block.parent is None or block.parent.scope is not block.scope
