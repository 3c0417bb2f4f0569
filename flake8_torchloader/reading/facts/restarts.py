"""Where the workers of a loader are started again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from flake8_torchloader.module import Pace, Restart
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.exact import Exactly, ExactReader
from flake8_torchloader.reading.flow.leaves import Defined, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.repetition import Repetition
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import LOADERS
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Running, ScopeKind, reaching
from flake8_torchloader.reading.tree.walk import below

_OWN = ("__init__", "__iter__")
"""Methods by which a class of loaders may keep its workers."""

_GOING_ON = ("next", "__next__")

_CHANGING = ("shuffle", "sampler", "batch_sampler", "generator")
"""Arguments by which a loader may give another batch first each time."""


@dataclass(frozen=True, slots=True)
class First:
    """An expression that takes one batch of a loader and leaves it, and what says which loader that is."""

    site: Expression
    mention: Expression

    @property
    def nodes(self) -> set[int]:
        """All that stands in both, by the ids of the nodes."""
        return {id(node) for part in (self.site, self.mention) for node in below(part.node)}


class RestartReader:
    """Finds the loops of one file in which workers do not outlive a round."""

    def __init__(
        self, names: Names, exact: ExactReader, values: Values, places: Places, loaders: LoaderReader
    ) -> None:
        self.names = names
        self.exact = exact
        self.values = values
        self.loaders = loaders
        self.repetition = Repetition(names, values, places, loaders)

    def read(self) -> Iterator[Restart]:
        """The steps at which workers are started again, and the epochs, each loader once at a line."""
        restarting = {id(loader): loader for loader in self.loaders.calls if self._may_restart(loader)}
        if not restarting:
            return
        firsts = list(self._firsts())
        ids = self._in_passing(firsts)
        for first in firsts:
            busy = [loader for loader in self.loaders.loaders_in(first.mention) if loader.has_workers]
            is_sure = bool(busy) and all(id(loader) in restarting for loader in busy)
            is_run = first.site.spot.running is not Running.NEVER
            if is_sure and is_run and self.repetition.is_step(first.site, first.mention, ids):
                yield self._restart(first.site, busy[0], Pace.STEP)
        for loader in restarting.values():
            if self._is_built_in_steps(loader):
                yield self._restart(_line(loader), loader, Pace.BUILT)
            whole = (use for use in loader.uses if self._is_whole(use, loader, ids))
            if any(self.repetition.repeats(use, _line(loader)) for use in whole):
                yield self._restart(_line(loader), loader, Pace.EPOCH)

    def _is_whole(self, use: Expression, loader: LoaderCall, in_passing: set[int]) -> bool:
        """Whether an iteration may go through all of a loader that was there before: `next()` goes on with one."""
        if id(use.node) in in_passing or use.spot.running is Running.NEVER or last_name(use.node) in _GOING_ON:
            return False
        if last_name(use.node) in ("iter", "__iter__") and _asks_for_none(use):
            return False
        is_loop = any(use is loop for loop in self.names.file.loops)
        is_there = is_loop or self._is_given(use, loader)
        return is_there and not any(self._makes(part, loader) for part in self._parts(use))

    def _is_given(self, call: Expression, loader: LoaderCall) -> bool:
        """Whether a call is given the loader itself, and not what some function made of it."""
        if not isinstance(call.node, cst.Call):
            return False
        func = call.node.func
        parts = [*(arg.value for arg in call.node.args), *([func.value] if isinstance(func, cst.Attribute) else [])]
        leaves = (leaf for part in parts for leaf in self.names.sources(call.of(part)))
        return any(isinstance(leaf, Literal) and self.loaders.loader_call(leaf.expression) is loader for leaf in leaves)

    def _parts(self, use: Expression) -> Iterator[Expression]:
        """The calls that stand in what a loop goes through, or that gave it its name in the same round."""
        calls = [use.of(node) for node in below(use.node) if isinstance(node, cst.Call)]
        for node in below(use.node):
            for binding in reaching(node.value, use.spot) if isinstance(node, cst.Name) else ():
                if binding.how is How.VALUE and binding.value is not None and _is_same_round(binding, use):
                    calls += [binding.value] if isinstance(binding.value.node, cst.Call) else []
        yield from calls

    def _makes(self, call: Expression, loader: LoaderCall) -> bool:
        """Whether a call of a function builds the loader there, and wasn't given it."""
        leaves = self.names.callee(call)
        if not any(isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION for leaf in leaves):
            return False
        args = call.node.args if isinstance(call.node, cst.Call) else ()
        is_given = any(self.loaders.loaders_in(call.of(arg.value)) for arg in args)
        return not is_given and loader in self.loaders.loaders_in(call)

    def _in_passing(self, firsts: list[First]) -> set[int]:
        """What takes single batches, by the ids of the nodes, and what is given them: `model(next(iter(loader)))`."""
        sites = {id(first.site.node) for first in firsts}
        uses = (use.node for loader in self.loaders.calls for use in loader.uses) if firsts else ()
        given = {id(use) for use in uses if any(id(node) in sites for node in below(use))}
        return given.union(*(first.nodes for first in firsts))

    def _restart(self, site: Expression, loader: LoaderCall, pace: Pace) -> Restart:
        given = self._given(loader)
        repeats = not given.is_open and not any(name in given.by_name for name in _CHANGING)
        return Restart(site, _line(loader), self.loaders.name(loader), loader.workers, pace, repeats)

    # --- loaders

    def _may_restart(self, loader: LoaderCall) -> bool:
        """Whether a loader may have workers, of which nothing says that they live on."""
        leaves = self.names.callee(loader.call)
        own = [self.names.method(leaf.scope, name) for leaf in leaves if isinstance(leaf, Defined) for name in _OWN]
        if not loader.has_workers or loader.site is None or any(own):
            return False
        kinds = [LOADERS[t.name] for t in self.exact.arguments.targets(loader.call) if t.name in LOADERS]
        given = loader.arguments.of("persistent_workers")
        if given:
            return not self.values.union(given).may_be_nonzero
        return not self._given(loader).is_open and not any(kind.persists for kind in kinds)

    def _given(self, loader: LoaderCall) -> Exactly:
        kinds = [LOADERS[t.name] for t in self.exact.arguments.targets(loader.call) if t.name in LOADERS]
        return self.exact.read(loader.call, kinds[0].signature if kinds else ())

    # --- first batches

    def _firsts(self) -> Iterator[First]:
        """The expressions that take one batch of a loader and leave it."""
        for call in self.names.file.calls:
            iterated = self._first(call)
            if iterated is not None:
                yield First(call, iterated)
        for loop in self.names.file.loops:
            if id(loop.node) in self.names.file.broken:
                yield First(loop, loop)

    def _first(self, call: Expression) -> Expression | None:
        """The iterator of `next(iter(loader))`, of `iter(loader).next()`, or of a name that got it in this round."""
        node = call.node
        if not isinstance(node, cst.Call):
            return None
        if last_name(node) in ("next", "__next__") and isinstance(node.func, cst.Attribute):
            return self._iterator(call.of(node.func.value))
        if node.args and self.names.callee_name(call) == "builtins.next":
            return self._iterator(call.of(node.args[0].value))
        return None

    def _iterator(self, at: Expression) -> Expression | None:
        node = at.node
        if isinstance(node, cst.Name):
            bindings = reaching(node.value, at.spot)
            only = bindings[0] if len(bindings) == 1 else None
            is_here = only is not None and only.spot.block is at.spot.block
            is_fresh = is_here and (at.spot.block.loop is not None or _is_used_up(node, at))
            value = only.value if only is not None and only.how is How.VALUE and is_fresh else None
            return self._iterator(value) if value is not None and isinstance(value.node, cst.Call) else None
        is_iter = isinstance(node, cst.Call) and bool(node.args) and self.names.callee_name(at) == "builtins.iter"
        return at if is_iter or last_name(node) == "__iter__" and isinstance(node, cst.Call) else None

    def _is_built_in_steps(self, loader: LoaderCall) -> bool:
        """Whether a loader is built, and iterated, for each batch of another."""
        loop = self.repetition.innermost(_line(loader))
        if loop is None or loop.iterated is None or not self.loaders.loaders_in(loop.iterated):
            return False
        return any(loop.holds(use) for use in loader.uses)


def _asks_for_none(use: Expression) -> bool:
    """Whether a line is run only if something is None still: `if self.batches is None:`."""
    test = use.spot.block.test
    return test is not None and any(isinstance(node, cst.Name) and node.value == "None" for node in below(test))


def _line(loader: LoaderCall) -> Expression:
    """Where this file makes a loader, also if another one's function builds it there."""
    return loader.site or loader.call


def _is_same_round(binding: Binding, use: Expression) -> bool:
    """Whether a name is bound in the body of a loop that the use stands in as well."""
    block = binding.spot.block
    return block.loop is not None and block.encloses(use.spot.block)


def _is_used_up(name: cst.Name, at: Expression) -> bool:
    """Whether a function binds a name and reads it once, here: nothing of the function goes on with what it holds."""
    scope = at.spot.scope
    mentions = [node for node in below(scope.node) if isinstance(node, cst.Name) and node.value == name.value]
    return scope.kind is ScopeKind.FUNCTION and len(mentions) == 2
