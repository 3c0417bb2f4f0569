"""Functions of this file that no call names: those of `fire.Fire(main)`, `map(f, items)` and `partial(f)()`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Defined, Leaf, Literal
from flake8_torchloader.reading.flow.mapped import mapped
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Expression, Frame, Scope, ScopeKind

_RUNNERS = {"fire.Fire", "typer.run", "absl.app.run", "app.run", "tyro.cli", "jsonargparse.CLI", "wandb.agent"}
"""Functions that call the function they are given, or one of those."""

FITS = {"fit", "validate", "test", "predict"}
"""Methods of a trainer that ask the objects they are given for their loaders."""

_REGISTERING = {"command", "callback"}
"""Decorators of an application (typer) or of a group (click) that make a function one of its commands."""


class Callbacks:
    """Knows which functions of one file a call of somebody else's function runs."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._commands = list(self._registered())

    def of(self, call: Expression) -> Iterator[Scope]:
        """The functions that a call runs without naming them as what it calls."""
        node = call.node
        if not isinstance(node, cst.Call):
            return
        last = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
        name = self.names.callee_name(call)
        if last == "optimize" or name in _RUNNERS:
            for arg in node.args:
                yield from self._runnable(call.of(arg.value))
            yield from self._all() if name == "fire.Fire" and not node.args else ()
        if last in FITS:
            yield from (hook for hook, _ in self.loader_hooks(call))
        if (function := mapped(self.names, call)) is not None:
            yield from (f for leaf in self.names.sources(function) if (f := self._function(leaf)))
        for leaf in self.names.callee(call):
            yield from self._behind(leaf)
        if self._commands:
            callee = self.names.callee(call)
            yield from (f for app, f in self._commands if not set(callee).isdisjoint(self.names.sources(app)))

    def _behind(self, leaf: Leaf) -> Iterator[Scope]:
        """The function of a lambda that is called, or of a `partial`."""
        node = leaf.node if isinstance(leaf, Literal) else None
        if isinstance(leaf, Literal) and isinstance(node, cst.Lambda):
            yield from [scope] if (scope := self._function(leaf)) is not None else []
        elif isinstance(leaf, Literal) and isinstance(node, cst.Call) and node.args:
            if self.names.callee_name(leaf.expression) == "functools.partial":
                inner = self.names.sources(leaf.expression.of(node.args[0].value))
                yield from (f for one in inner if (f := self._function(one)))

    def loader_hooks(self, call: Expression) -> Iterator[tuple[Scope, Frame | None]]:
        """The `train_dataloader` and the like of the objects that a `fit` is given, and their run if another file's."""
        for arg in call.node.args if isinstance(call.node, cst.Call) else ():
            for leaf in self.names.sources(call.of(arg.value)):
                scope = self.names.instance_of(leaf)
                for method in scope.methods() if scope is not None else ():
                    if method.name.endswith("_dataloader"):
                        made = leaf.expression if isinstance(leaf, Literal) else None
                        yield method, self.names.calls.frame(method, call, made) if made is not None else None

    def _runnable(self, argument: Expression) -> Iterator[Scope]:
        """A function; each of a dict of functions; each public method of a class or object."""
        for leaf in self.names.sources(argument):
            scope = leaf.scope if isinstance(leaf, Defined) else self.names.instance_of(leaf)
            if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Dict):
                for element in leaf.node.elements:
                    inner = self.names.sources(leaf.expression.of(element.value))
                    yield from (f for value in inner if (f := self._function(value)))
            elif scope is not None and scope.kind is ScopeKind.CLASS:
                yield from (m for m in scope.methods() if not m.name.startswith("_") or m.name == "__init__")
            elif (function := self._function(leaf)) is not None:
                yield function

    def _function(self, leaf: Leaf) -> Scope | None:
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
            return self.names.inner_scope(leaf.expression)
        is_function = isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION
        return leaf.scope if is_function and isinstance(leaf, Defined) else None

    def _all(self) -> Iterator[Scope]:
        """Every function of the file itself."""
        for bindings in self.names.file.scope.bindings.values():
            for binding in bindings:
                if binding.target is not None and binding.target.kind is ScopeKind.FUNCTION:
                    yield binding.target

    def _registered(self) -> Iterator[tuple[Expression, Scope]]:
        """The applications and groups of the file, each with one function that is decorated as its command."""
        for function in self._all():
            for decorator in function.decorators:
                func = decorator.node.func if isinstance(decorator.node, cst.Call) else decorator.node
                if isinstance(func, cst.Attribute) and func.attr.value in _REGISTERING:
                    yield decorator.of(func.value), function
