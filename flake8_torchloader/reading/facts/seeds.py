"""What a `worker_init_fn` seeds random generators with, and whether that differs between workers or epochs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Flag, auto

import libcst as cst

from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.callsites import CallSite
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal, Object
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import dotted
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Parameter, Scope, ScopeKind, reaching
from flake8_torchloader.wrong_data import Seeding

_NAME = "worker_init"
"""What the name of a function holds that is written to be given to loaders, if only those of other files."""

_WORKER_INFO = "torch.utils.data.get_worker_info"
_DEEPEST = 6
_ALL = ("random", "numpy", "torch")
_SEEDERS: Mapping[str, tuple[str, ...]] = {
    "random.seed": ("random",), "numpy.random.seed": ("numpy",), "torch.manual_seed": ("torch",),
    "torch.random.manual_seed": ("torch",), "pytorch_lightning.seed_everything": _ALL, "transformers.set_seed": _ALL,
    "lightning.seed_everything": _ALL, "lightning.pytorch.seed_everything": _ALL, "accelerate.utils.set_seed": _ALL,
    "lightning.fabric.seed_everything": _ALL, "pytorch_lightning.utilities.seed.seed_everything": _ALL,
    "monai.utils.set_determinism": _ALL,
}  # fmt: skip
"""What sets the global generators of which libraries."""

_ARITHMETIC = ("builtins.int", "builtins.abs", "builtins.hash", "builtins.min", "builtins.max", "builtins.pow",
               "builtins.round", "builtins.float", "numpy.uint32", "numpy.int64", "numpy.int32", "numpy.uint64",
               "builtins.sum")  # fmt: skip


class Varies(Flag):
    """How a seed differs from one worker to the next: not at all if nothing is set."""

    NOT = 0
    WORKER = auto()
    """By the number of the worker."""
    STATE = auto()
    """By the first word or the position of numpy's state, which torch leaves the same in every worker and epoch."""
    FRESH = auto()
    """In a way that may also differ between epochs, or isn't known."""


Natures = Mapping[str, Varies]
"""How the arguments of a function vary, by the names of its parameters."""


class SeedReader:
    """Finds the seeds of one file that give workers or epochs the same numbers."""

    def __init__(self, names: Names, loaders: LoaderReader) -> None:
        self.names = names
        self.loaders = loaders

    def read(self) -> Iterator[Seeding]:
        """The first seed of each `worker_init_fn` that does so, with the loaders that are given the function."""
        users: dict[int, list[LoaderCall]] = {}
        given: dict[int, tuple[Scope, Natures]] = {}
        for loader in self.loaders.calls:
            for argument in loader.arguments.of("worker_init_fn") if loader.has_workers else ():
                for function, natures in self._functions(argument):
                    users.setdefault(id(function.node), []).append(loader)
                    given.setdefault(id(function.node), (function, natures))
        for function in self._named() if not users else ():
            given.setdefault(id(function.node), (function, self._called_by_torch(function)))
        for key, (function, natures) in given.items():
            if not self.names.is_own(function):
                continue  # it is reported in its own file
            yield from self._seeding(function, natures, users.get(key, []))

    def _seeding(self, function: Scope, natures: Natures, users: list[LoaderCall]) -> Iterator[Seeding]:
        last: dict[str, tuple[Expression, str, Varies]] = {}
        for library, site, call, varies in self._seeds(function, natures, 0):
            last[library] = (site, call, varies)
        is_persistent = bool(users) and all(self._is_persistent(loader) for loader in users)
        for site, call, varies in sorted(last.values(), key=lambda one: one[0].spot.order):
            is_repeated = Varies.STATE in varies and not is_persistent
            if Varies.FRESH not in varies and (varies is Varies.NOT or is_repeated):
                sites = tuple(loader.call for loader in users)
                yield Seeding(site, call, function.name, Varies.STATE in varies, sites)
                return

    def _is_persistent(self, loader: LoaderCall) -> bool:
        value = self.loaders.values.union(loader.arguments.of("persistent_workers"))
        return bool(loader.arguments.of("persistent_workers")) and value.constants != (False,)

    # --- functions that loaders are given

    def _functions(self, argument: Expression) -> Iterator[tuple[Scope, Natures]]:
        for leaf in self.names.sources(argument):
            function = self._function(leaf)
            if function is not None:
                yield function, self._called_by_torch(function)
            elif isinstance(leaf, Literal) and self.names.callee_name(leaf.expression) == "functools.partial":
                yield from self._partial(leaf.expression)

    def _function(self, leaf: Leaf) -> Scope | None:
        if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION:
            return leaf.scope
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
            return self.names.inner_scope(leaf.expression)
        return None

    def _partial(self, call: Expression) -> Iterator[tuple[Scope, Natures]]:
        """`partial(seed_worker, seed=0)`: what it is given is settled before there is a worker."""
        args = call.node.args if isinstance(call.node, cst.Call) else ()
        for leaf in self.names.sources(call.of(args[0].value)) if args else ():
            function = self._function(leaf)
            if function is not None:
                named = {arg.keyword.value for arg in args if arg.keyword is not None}
                plain = sum(arg.keyword is None for arg in args) - 1
                free = [p for p in _own(function)[plain:] if p.name not in named]
                natures = {p.name: Varies.NOT for p in _own(function) if p not in free}
                yield function, {**natures, **self._called_by_torch(function, free)}

    def _called_by_torch(self, function: Scope, free: list[Parameter] | None = None) -> Natures:
        """torch gives the number of the worker, and nothing else: what is left has its default."""
        own = _own(function) if free is None else free
        found = {p.name: self._varies(p.default, {}, 0) for p in own[1:] if p.default is not None}
        return {**found, **{number.name: Varies.WORKER for number in own[:1]}}

    def _named(self) -> Iterator[Scope]:
        """Functions that are written for loaders of other files."""
        for bindings in self.names.file.scope.bindings.values():
            for binding in bindings:
                function = binding.target if binding.how is How.DEFINITION else None
                if function is not None and function.kind is ScopeKind.FUNCTION and _NAME in function.name:
                    if sum(p.default is None for p in function.parameters) == 1:
                        yield function

    # --- seeds

    def _seeds(
        self, function: Scope, natures: Natures, depth: int
    ) -> Iterator[tuple[str, Expression, str, Varies]]:
        """Each seed that a function sets, in the order of the text: the library, where, by what, and how it varies."""
        seeded: set[str] = set()
        ends = {id(returned.node) for returned in function.returns}
        for call in self.names.calls_in(function) if depth < _DEEPEST else ():
            node, name = call.node, self.names.callee_name(call)
            if not isinstance(node, cst.Call):
                continue
            for library in _SEEDERS.get(name, ()):
                varies = self._of_seed(call, node, natures)
                if library in seeded and Varies.STATE in varies:
                    varies = Varies.FRESH
                seeded.update([] if id(node) in ends else [library])
                yield library, call, dotted(node.func), varies
            for leaf in self.names.callee(call):
                inner = self._function(leaf)
                if inner is not None and not inner.is_generator:
                    arguments = self._arguments(call, inner, natures)
                    for library, _, _, varies in self._seeds(inner, arguments, depth + 1):
                        seeded.add(library)
                        yield library, call, dotted(node.func), varies

    def _of_seed(self, call: Expression, node: cst.Call, natures: Natures) -> Varies:
        seeds = [arg.value for arg in node.args if not arg.star]
        if not seeds or any(arg.star for arg in node.args):
            return Varies.FRESH
        return self._varies(call.of(seeds[0]), natures, 0)

    def _arguments(self, call: Expression, function: Scope, natures: Natures) -> Natures:
        """How the arguments of an inner call vary."""
        site = CallSite(call, bound=function.receiver is not None)
        given = {parameter.name: self.names.calls.given(site, parameter) for parameter in function.parameters}
        return {n: Varies.FRESH if one is None else self._varies(one, natures, 0) for n, one in given.items()}

    # --- how an expression varies

    def _varies(self, expression: Expression, natures: Natures, depth: int) -> Varies:
        node = expression.node
        if depth > _DEEPEST * 2:
            return Varies.FRESH
        match node:
            case cst.Integer() | cst.Float() | cst.SimpleString():
                return Varies.NOT
            case cst.Name():
                return self._of_name(expression, node.value, natures, depth)
            case cst.Attribute(attr=cst.Name(value="id")) if self._is_worker_info(expression.of(node.value)):
                return Varies.WORKER
            case cst.Attribute():
                return self._of_object(expression.of(node.value), natures, depth + 1)
            case cst.Subscript() if self._is_state(expression, node):
                return Varies.STATE
            case cst.Subscript():
                keys = (expression.of(e.slice.value) for e in node.slice if isinstance(e.slice, cst.Index))
                held = self._of_object(expression.of(node.value), natures, depth + 1)
                return held | self._joined(keys, natures, depth)
            case cst.BinaryOperation() | cst.BooleanOperation():
                return self._joined([expression.of(node.left), expression.of(node.right)], natures, depth)
            case cst.UnaryOperation():
                return self._varies(expression.of(node.expression), natures, depth + 1)
            case cst.IfExp():
                return self._joined([expression.of(node.body), expression.of(node.orelse)], natures, depth)
            case cst.Tuple() | cst.List():
                return self._joined((expression.of(e.value) for e in node.elements), natures, depth)
            case cst.Call() if self.names.callee_name(expression) in _ARITHMETIC:
                return self._joined((expression.of(arg.value) for arg in node.args), natures, depth)
        return Varies.FRESH

    def _joined(self, parts: Iterable[Expression], natures: Natures, depth: int) -> Varies:
        found = Varies.NOT
        for part in parts:
            found |= self._varies(part, natures, depth + 1)
        return found

    def _of_name(self, expression: Expression, name: str, natures: Natures, depth: int) -> Varies:
        if name in ("True", "False"):
            return Varies.NOT
        scope, _ = expression.spot.scope.find(name)
        found = Varies.NOT
        bindings = reaching(name, expression.spot)
        for binding in bindings:
            found |= self._of_binding(binding, scope, expression, natures, depth)
        return found if bindings else Varies.FRESH

    def _of_binding(
        self, binding: Binding, scope: Scope, used: Expression, natures: Natures, depth: int
    ) -> Varies:
        is_own = scope is used.spot.scope.function
        match binding.how:
            case How.PARAMETER if is_own:
                return natures.get(binding.name, Varies.FRESH)
            case How.PARAMETER:
                return Varies.NOT
            case How.IMPORT:
                return Varies.NOT
            case How.VALUE if binding.value is not None and not binding.path:
                is_settled = not is_own and scope.kind is ScopeKind.FUNCTION
                return Varies.NOT if is_settled else self._varies(binding.value, natures if is_own else {}, depth + 1)
        return Varies.FRESH

    def _of_object(self, base: Expression, natures: Natures, depth: int) -> Varies:
        """How what is asked of an object varies: `args.seed` not at all, `get_worker_info().id` does."""
        leaves = self.names.sources(base)
        is_settled = any(isinstance(leaf, (Imported, Object)) for leaf in leaves)
        outside = base.spot.scope.function
        calls = [leaf for leaf in leaves if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Call)]
        if calls and all(call.expression.spot.scope.function is not outside for call in calls):
            return Varies.NOT
        return Varies.NOT if is_settled else self._varies(base, natures, depth)

    def _is_worker_info(self, expression: Expression) -> bool:
        """Whether this is what torch tells a worker of itself: its `id` is what a `worker_init_fn` is given."""
        leaves = self.names.sources(expression)
        return bool(leaves) and all(
            isinstance(leaf, Literal) and self.names.callee_name(leaf.expression) == _WORKER_INFO for leaf in leaves
        )

    def _is_state(self, expression: Expression, node: cst.Subscript) -> bool:
        """Whether this is `np.random.get_state()[1][0]`, or `[2]`."""
        inner = node.value
        if _index(node) == 0 and isinstance(inner, cst.Subscript) and _index(inner) == 1:
            return self._is_numpy_state(expression.of(inner.value))
        return _index(node) == 2 and self._is_numpy_state(expression.of(inner))

    def _is_numpy_state(self, expression: Expression) -> bool:
        leaves = [leaf for leaf in self.names.sources(expression) if isinstance(leaf, Literal)]
        here = expression.spot.scope.function
        return any(
            self.names.callee_name(leaf.expression) == "numpy.random.get_state"
            and leaf.expression.spot.scope.function is here
            for leaf in leaves
        )


def _own(function: Scope) -> list[Parameter]:
    """The parameters of a function, without its object."""
    return [p for p in function.parameters if p.name != function.receiver and not p.star]


def _index(node: cst.Subscript) -> int | None:
    index = node.slice[0].slice if len(node.slice) == 1 else None
    if isinstance(index, cst.Index) and isinstance(index.value, cst.Integer):
        return int(index.value.value, 0)
    return None
