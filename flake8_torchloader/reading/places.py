"""Where each line runs: a call graph of the file, and what is reached from where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from flake8_torchloader.module import Place
from flake8_torchloader.reading.leaves import Defined
from flake8_torchloader.reading.names import Names
from flake8_torchloader.reading.scopes import (
    Expression,
    Running,
    Scope,
    ScopeKind,
    Spot,
)

_RUNNERS = {"fire.Fire", "typer.run", "absl.app.run", "app.run", "tyro.cli", "jsonargparse.CLI", "wandb.agent"}
"""Functions that call the function they are given, there and then."""

_FIT = {"fit", "validate", "test", "predict"}
WORKER_METHODS = ("__getitem__", "__getitems__", "__iter__", "__call__", "forward")


class Places:
    """Knows for each function of a file from where it is reached."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._reached: dict[Scope, set[Place]] = {}
        self._edges: dict[Scope | None, list[tuple[Scope, Running]]] = {}
        for call in names.file.calls:
            self._connect(call)
        for loop in names.file.loops:
            self._iterate(loop)
        for target, running in self._edges.get(None, []):
            self.reach([target], Place.IMPORT if running is Running.ALWAYS else Place.GUARDED)

    def _connect(self, call: Expression) -> None:
        caller = call.spot.scope.function
        if call.spot.running is Running.NEVER:
            return
        for target in (*(t for t, _ in self.names.calls.targets(call)), *self._called_back(call)):
            self._edges.setdefault(caller, []).append((target, call.spot.running))

    def _iterate(self, loop: Expression) -> None:
        """A loop over an object of this file's class runs its `__iter__`."""
        node = loop.node
        inner = [loop.of(arg.value) for arg in node.args] if isinstance(node, cst.Call) else []
        for expression in (loop, *inner):
            for leaf in self.names.sources(expression):
                scope = self.names.instance_of(leaf)
                method = self.names.method(scope, "__iter__") if scope is not None else None
                if method is not None:
                    edges = self._edges.setdefault(loop.spot.scope.function, [])
                    edges.append((method, loop.spot.running))

    def _called_back(self, call: Expression) -> Iterator[Scope]:
        """Functions that somebody else's function calls: `fire.Fire(main)`, `Trainer.fit(..., data)`."""
        node = call.node
        if not isinstance(node, cst.Call) or not node.args:
            return
        last = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
        if last == "optimize" or self.names.callee_name(call) in _RUNNERS:
            for arg in node.args:
                for leaf in self.names.sources(call.of(arg.value)):
                    if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION:
                        yield leaf.scope
        if last in _FIT:
            yield from self.loader_hooks(call)

    def loader_hooks(self, call: Expression) -> Iterator[Scope]:
        """The `train_dataloader` and the like of the objects that a `fit` is given."""
        for arg in call.node.args if isinstance(call.node, cst.Call) else ():
            for leaf in self.names.sources(call.of(arg.value)):
                scope = self.names.instance_of(leaf)
                for method in scope.methods() if scope is not None else ():
                    if method.name.endswith("_dataloader"):
                        yield method

    def reach(self, functions: Iterable[Scope], place: Place) -> None:
        """Note that functions run at a place, and everything that they call."""
        queue = list(functions)
        while queue:
            function = queue.pop()
            reached = self._reached.setdefault(function, set())
            if place in reached:
                continue
            reached.add(place)
            edges = self._edges.get(function, [])
            queue += [target for target, running in edges if running is Running.ALWAYS]

    def below(self, functions: Iterable[Scope]) -> set[Scope]:
        """Some functions and everything that they call."""
        found: set[Scope] = set()
        queue = list(functions)
        while queue:
            function = queue.pop()
            if function not in found:
                found.add(function)
                queue += [target for target, _ in self._edges.get(function, [])]
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
