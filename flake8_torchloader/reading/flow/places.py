"""Where each line runs: a call graph of the file, and what is reached from where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from flake8_torchloader.module import Place
from flake8_torchloader.reading.flow.callbacks import Callbacks
from flake8_torchloader.reading.flow.leaves import Object
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression, Running, Scope, Spot

WORKER_METHODS = ("__getitem__", "__getitems__", "__iter__", "__call__", "forward")


class Places:
    """Knows for each function of a file from where it is reached."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.callbacks = Callbacks(names)
        self._reached: dict[Scope, set[Place]] = {}
        self._edges: dict[Scope | None, list[tuple[Scope, Running]]] = {}
        self._subclasses: dict[Scope, list[Scope]] = {}
        for scope in names.file.classes:
            for base in names.bases(scope):
                self._subclasses.setdefault(base, []).append(scope)
        for target, running in self._edges_of(None):
            self.reach([target], Place.IMPORT if running is Running.ALWAYS else Place.GUARDED)

    def _edges_of(self, caller: Scope | None) -> list[tuple[Scope, Running]]:
        """What a function calls, or the top level of the file; nobody asks about most functions."""
        if caller not in self._edges:
            is_far = caller is not None and not self.names.is_own(caller)
            self._edges[caller] = list(self._far_edges(caller) if is_far else self._own_edges(caller))
        return self._edges[caller]

    def _own_edges(self, caller: Scope | None) -> Iterator[tuple[Scope, Running]]:
        for call in self.names.calls_in(caller):
            if call.spot.running is not Running.NEVER:
                yield from ((target, call.spot.running) for target in self._run_by(call))
        for loop in self.names.loops_in(caller):
            yield from ((method, loop.spot.running) for method in self._iterate(loop))

    def _run_by(self, call: Expression) -> Iterator[Scope]:
        targets = [target for target, _ in self.names.calls.targets(call, only_own=not _is_through_super(call))]
        yield from targets
        for target in targets:
            yield from self._overriding(call, target)
        yield from self.callbacks.of(call)

    def _far_edges(self, caller: Scope | None) -> Iterator[tuple[Scope, Running]]:
        """What a method of another file's base class calls, and what a class of this file may have instead."""
        is_base = caller is not None and caller.owner in self._subclasses
        for call in self.names.calls_in(caller) if is_base else ():
            for target in [target for target, _ in self.names.calls.targets(call)]:
                if target.owner in self._subclasses:
                    yield from ((one, call.spot.running) for one in (target, *self._overriding(call, target)))

    def _overriding(self, call: Expression, target: Scope) -> Iterator[Scope]:
        """The methods of subclasses that `self.load()` in a base class may run instead of its own."""
        func = call.node.func if isinstance(call.node, cst.Call) else None
        owner = target.owner
        if owner is None or not isinstance(func, cst.Attribute) or owner not in self._subclasses:
            return
        if any(isinstance(leaf, Object) for leaf in self.names.sources(call.of(func.value))):
            yield from (m for scope in self._subclasses[owner] if (m := scope.method(target.name)))

    def _iterate(self, loop: Expression) -> Iterator[Scope]:
        """A loop over an object of this file's class runs its `__iter__`."""
        node = loop.node
        inner = [loop.of(arg.value) for arg in node.args] if isinstance(node, cst.Call) else []
        for expression in (loop, *inner):
            for leaf in self.names.sources(expression):
                scope = self.names.instance_of(leaf)
                is_own = scope is not None and self.names.is_own(scope)
                method = self.names.method(scope, "__iter__") if scope is not None and is_own else None
                yield from [method] if method is not None else []

    def reach(self, functions: Iterable[Scope], place: Place) -> None:
        """Note that functions run at a place, and everything that they call."""
        queue = list(functions)
        while queue:
            function = queue.pop()
            reached = self._reached.setdefault(function, set())
            if place in reached:
                continue
            reached.add(place)
            edges = self._edges_of(function)
            queue += [target for target, running in edges if running is Running.ALWAYS]

    def below(self, functions: Iterable[Scope]) -> set[Scope]:
        """Some functions and everything that they call."""
        found: set[Scope] = set()
        queue = list(functions)
        while queue:
            function = queue.pop()
            if function not in found:
                found.add(function)
                queue += [target for target, _ in self._edges_of(function)]
        return found

    def of_function(self, function: Scope) -> frozenset[Place]:
        """From where a function is reached."""
        return frozenset(self._reached.get(function, ()))

    def of(self, spot: Spot) -> frozenset[Place]:
        """Where a statement runs; empty where that isn't known, or where it never does."""
        function = spot.scope.function
        match spot.running:
            case Running.NEVER:
                return frozenset()
            case Running.GUARDED:
                return frozenset({Place.GUARDED})
            case _ if function is None:
                return frozenset({Place.IMPORT})
        return self.of_function(function) if function is not None else frozenset()


def _is_through_super(call: Expression) -> bool:
    func = call.node.func if isinstance(call.node, cst.Call) else None
    return isinstance(func, cst.Attribute) and isinstance(func.value, cst.Call) and last_name(func.value) == "super"
