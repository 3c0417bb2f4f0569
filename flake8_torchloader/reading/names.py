"""What an expression may be: names followed through imports, assignments, attributes and calls.

The answer is a list of leaves. Nothing is ever guessed: what can't be followed is `Opaque`, and
whoever asks decides what that means.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from flake8_torchloader.reading.collect import Collector
from flake8_torchloader.reading.known import STAR_EXPORTS
from flake8_torchloader.reading.scopes import (
    Binding,
    Expression,
    How,
    Parameter,
    Scope,
    ScopeKind,
    Spot,
    reaching,
)

DEEPEST = 24
"""How many steps a value is followed before it counts as unknown."""

_FUEL = 4000
"""How many expressions one question may look at, which keeps tangled code linear."""

_SAME_OBJECT = {"to", "cuda", "cpu", "eval", "train", "half", "float", "double", "requires_grad_", "__enter__"}
"""Methods that a library's class gives to this file's subclasses, and that return the object itself."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Something from outside this file, by its full name."""

    name: str


@dataclass(frozen=True, slots=True)
class Defined:
    """A function or class of this file."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Object:
    """The object whose method this is, of a class of this file: `self`."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Literal:
    """An expression that stands for itself: a literal, a lambda, or a call of what is not followed."""

    expression: Expression

    @property
    def node(self) -> cst.CSTNode:
        """The node itself."""
        return self.expression.node


@dataclass(frozen=True, slots=True)
class Element:
    """Something that was put into the container in question."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that can't be followed."""


Leaf = Imported | Defined | Object | Literal | Element | Opaque
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of a function of this file; `bound` if its first parameter is filled by the object."""

    call: Expression
    bound: bool


class Names:
    """Answers what the expressions of one file may be."""

    def __init__(self, file: Collector) -> None:
        self.file = file
        self._known: dict[int, list[Leaf]] = {}
        self._asked: set[int] = set()
        self._sites: dict[Scope, list[CallSite]] | None = None
        self._looking_for_sites = False
        self._cuts = 0
        self._fuel = _FUEL
        self._nested = 0

    # --- asking

    def sources(self, expression: Expression) -> list[Leaf]:
        """All that an expression may be; empty only for a value that depends on itself."""
        key = id(expression.node)
        if key in self._known:
            return self._known[key]
        if not self._asked:
            self._fuel = _FUEL
        self._fuel -= 1
        if key in self._asked or len(self._asked) >= DEEPEST or self._fuel < 0:
            self._cuts += 1
            return [] if key in self._asked else [Opaque()]
        cuts = self._cuts
        self._asked.add(key)
        try:
            found = list(dict.fromkeys(self._follow(expression)))
        finally:
            self._asked.discard(key)
        if cuts == self._cuts or (not self._asked and not self._looking_for_sites):
            self._known[key] = found
        return found

    def imported(self, expression: Expression) -> list[str]:
        """The full names of the imported things that an expression may be."""
        return [leaf.name for leaf in self.sources(expression) if isinstance(leaf, Imported)]

    def name_of(self, expression: Expression) -> str:
        """The one imported name that an expression is, or empty."""
        leaves = self.sources(expression)
        only = leaves[0] if len(leaves) == 1 else None
        return only.name if isinstance(only, Imported) else ""

    def callee(self, call: Expression) -> list[Leaf]:
        """What a call calls."""
        return self.sources(call.of(call.node.func)) if isinstance(call.node, cst.Call) else []

    def callee_name(self, call: Expression) -> str:
        """The one imported name that a call calls, or empty."""
        return self.name_of(call.of(call.node.func)) if isinstance(call.node, cst.Call) else ""

    def instance_of(self, leaf: Leaf) -> Scope | None:
        """The class of this file of which a leaf is an object, if it is one."""
        if isinstance(leaf, Object):
            return leaf.scope
        if not isinstance(leaf, Literal) or not isinstance(leaf.node, cst.Call):
            return None
        for target in self.callee(leaf.expression):
            if isinstance(target, Defined) and target.scope.kind is ScopeKind.CLASS:
                return target.scope
        return None

    # --- following

    def _follow(self, expression: Expression) -> Iterator[Leaf]:
        node = expression.node
        match node:
            case cst.Name():
                yield from self._name(node.value, expression.spot)
            case cst.Attribute():
                yield from self._attribute(expression, node)
            case cst.IfExp():
                for side in (node.body, node.orelse):
                    yield from self.sources(expression.of(side))
            case cst.BooleanOperation():
                for side in (node.left, node.right):
                    yield from self.sources(expression.of(side))
            case cst.NamedExpr() | cst.Await():
                value = node.value if isinstance(node, cst.NamedExpr) else node.expression
                yield from self.sources(expression.of(value))
            case cst.Subscript():
                yield from self._subscript(expression, node)
            case cst.Call():
                yield from self._call(expression)
            case _:
                yield Literal(expression)

    def _name(self, name: str, spot: Spot) -> Iterator[Leaf]:
        bindings = reaching(name, spot)
        if not bindings:
            yield self._unbound(name, spot)
        for binding in bindings:
            yield from self._binding(binding)

    def _unbound(self, name: str, spot: Spot) -> Leaf:
        for scope in spot.scope.around():
            for star in scope.stars:
                if name in STAR_EXPORTS.get(star, ()):
                    return Imported(f"{star}.{name}")
        stars = spot.scope.module.stars
        if name in _BUILTINS:
            return Imported(f"builtins.{name}")
        return Imported(f"{stars[0]}.{name}") if len(stars) == 1 else Opaque()

    def bound(self, binding: Binding) -> list[Leaf]:
        """What a name or attribute may be after one binding."""
        return list(dict.fromkeys(self._binding(binding)))

    def _binding(self, binding: Binding) -> Iterator[Leaf]:
        match binding.how:
            case How.IMPORT:
                yield Imported(binding.name)
            case How.DEFINITION if binding.target is not None:
                yield Defined(binding.target)
            case How.VALUE if binding.value is not None:
                yield from self._unpack(self.sources(binding.value), binding.path)
            case How.ADDED if binding.value is not None:
                yield Element(binding.value)
            case How.ELEMENT if binding.value is not None:
                yield from self._unpack(self.elements(binding.value), binding.path)
            case How.PARAMETER if binding.target is not None:
                yield from self._parameter(binding.target, binding.name)
            case _:
                yield Opaque()

    def _unpack(self, leaves: Sequence[Leaf], path: tuple[int, ...]) -> Iterator[Leaf]:
        """The part of each value that unpacking gives."""
        if not path:
            yield from leaves
            return
        for leaf in leaves:
            part = self._part(leaf, path[0])
            yield from self._unpack(part, path[1:])

    def _part(self, leaf: Leaf, index: int) -> list[Leaf]:
        if not isinstance(leaf, Literal):
            return [Opaque()]
        node = leaf.node
        if isinstance(node, (cst.Tuple, cst.List)) and index < len(node.elements):
            return self.sources(leaf.expression.of(node.elements[index].value))
        if isinstance(node, cst.Call):
            passed = self._passed_through(leaf.expression, node, index)
            return self.sources(passed) if passed is not None else [leaf]
        return self.elements(leaf.expression)

    def _passed_through(self, call: Expression, node: cst.Call, index: int) -> Expression | None:
        """`a, b = accelerator.prepare(a, b)` gives back what it was given, wrapped."""
        is_prepare = isinstance(node.func, cst.Attribute) and node.func.attr.value in (
            "prepare",
            "setup_dataloaders",
        )
        plain = [arg for arg in node.args if not arg.star and arg.keyword is None]
        if is_prepare and index < len(plain) == len(node.args):
            return call.of(plain[index].value)
        return None

    def elements(self, container: Expression) -> list[Leaf]:
        """What a loop over a value may meet."""
        if self._nested >= DEEPEST:
            self._cuts += 1
            return [Opaque()]
        self._nested += 1
        try:
            return [part for leaf in self.sources(container) for part in self._elements(leaf)]
        finally:
            self._nested -= 1

    def _elements(self, leaf: Leaf) -> list[Leaf]:
        if isinstance(leaf, Element):
            return self.sources(leaf.expression)
        if not isinstance(leaf, Literal):
            return [Opaque()]
        node, at = leaf.node, leaf.expression
        match node:
            case cst.Tuple() | cst.List() | cst.Set():
                return [part for element in node.elements for part in self.sources(at.of(element.value))]
            case cst.Dict():
                return [p for e in node.elements for p in self.sources(at.of(e.value))]
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp():
                return self.sources(self.inside(at, node, node.elt))
            case cst.DictComp():
                return self.sources(self.inside(at, node, node.value))
            case cst.Call(func=cst.Attribute(value=base, attr=cst.Name(value="values" | "items"))):
                items = self.elements(at.of(base))
                return items
            case cst.Call(args=[first, *_]) if self.callee_name(at) in ("builtins.list", "builtins.tuple"):
                return self.elements(at.of(first.value))
            case cst.Call() if self.callee_name(at) == "builtins.dict":
                return [p for arg in node.args if arg.keyword for p in self.sources(at.of(arg.value))]
        return [Opaque()]

    def inside(self, at: Expression, comprehension: cst.BaseComp, node: cst.CSTNode) -> Expression:
        """A node inside a comprehension, where the names of the comprehension are known."""
        scope = next((s for s in self.file.comprehensions if s.node is comprehension), at.spot.scope)
        return Expression(node, Spot(scope, at.spot.block, at.spot.order, at.spot.running, at.spot.top))

    def _subscript(self, expression: Expression, node: cst.Subscript) -> Iterator[Leaf]:
        keys = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
        base = expression.of(node.value)
        key = keys[0] if len(keys) == 1 else None
        for leaf in self.sources(base):
            found = self.item(leaf, key)
            if not found and not isinstance(leaf, (Imported, Defined)):
                yield Literal(expression)
            yield from found

    def item(self, leaf: Leaf, key: cst.CSTNode | None) -> list[Leaf]:
        """What a container has under a key; all it has where the key isn't known."""
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Dict) and key is not None:
            text = _constant(key)
            for element in leaf.node.elements:
                if isinstance(element, cst.DictElement) and text and _constant(element.key) == text:
                    return self.sources(leaf.expression.of(element.value))
        if isinstance(leaf, Literal) and isinstance(leaf.node, (cst.List, cst.Tuple)):
            if isinstance(key, cst.Integer) and int(key.value, 0) < len(leaf.node.elements):
                element_at = leaf.node.elements[int(key.value, 0)]
                return self.sources(leaf.expression.of(element_at.value))
        return [part for part in self._elements(leaf) if not isinstance(part, Opaque)]

    def _attribute(self, expression: Expression, node: cst.Attribute) -> Iterator[Leaf]:
        name = node.attr.value
        for leaf in self._objects(expression.of(node.value)):
            owner = leaf.scope if isinstance(leaf, Defined) else self.instance_of(leaf)
            if isinstance(leaf, Imported):
                yield Imported(f"{leaf.name}.{name}")
            elif owner is not None and owner.kind is ScopeKind.CLASS:
                yield from self.attribute(owner, name) or [Literal(expression)]
            else:
                yield Literal(expression)

    def _objects(self, expression: Expression) -> list[Leaf]:
        """What stands before a dot; `super()` is an object of the nearest base of this file."""
        node = expression.node
        if isinstance(node, cst.Call) and self._is_super(node):
            method = next((s for s in expression.spot.scope.around() if s.owner), None)
            bases = self.bases(method.owner) if method and method.owner else []
            return [Object(bases[0])] if bases else [Opaque()]
        return self.sources(expression)

    @staticmethod
    def _is_super(node: cst.Call) -> bool:
        return isinstance(node.func, cst.Name) and node.func.value == "super"

    def bases(self, scope: Scope) -> list[Scope]:
        """The classes of this file that a class inherits from, the nearest first."""
        found: list[Scope] = []
        queue = [scope]
        while queue:
            for base in queue.pop(0).bases:
                for leaf in self.sources(base):
                    if isinstance(leaf, Defined) and leaf.scope not in (scope, *found):
                        found.append(leaf.scope)
                        queue.append(leaf.scope)
        return found

    def base_names(self, scope: Scope) -> list[str]:
        """The imported classes that a class inherits from, directly or through this file's own."""
        return [name for s in (scope, *self.bases(scope)) for base in s.bases for name in self.imported(base)]

    def method(self, scope: Scope, name: str) -> Scope | None:
        """A method of a class of this file, inherited ones included."""
        return next((m for s in (scope, *self.bases(scope)) if (m := s.method(name))), None)

    def chooses_state(self, scope: Scope) -> bool:
        """Whether a class says itself what a pickle of its objects holds."""
        return any(self.method(scope, name) for name in ("__getstate__", "__reduce__", "__reduce_ex__"))

    def attribute(self, scope: Scope, name: str) -> list[Leaf]:
        """What an object of a class has under a name."""
        found: list[Leaf] = []
        for one in (scope, *self.bases(scope)):
            bindings = [*one.attributes.get(name, ()), *one.bindings.get(name, ())]
            for binding in bindings:
                if binding.target is not None and binding.target.is_property:
                    found += [leaf for r in binding.target.returns for leaf in self.sources(r)]
                else:
                    found += self._binding(binding)
            if bindings:
                break
        return found

    def _call(self, expression: Expression) -> Iterator[Leaf]:
        """A call of a function of this file is what that returns; any other stands for itself."""
        for leaf in self.callee(expression) or [Opaque()]:
            scope = leaf.scope if isinstance(leaf, Defined) else None
            if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
                scope = next((f for f in self.file.functions if f.node is leaf.node), None)
            if scope is None or scope.kind is ScopeKind.CLASS or scope.is_generator or not scope.returns:
                yield from self._same_object(expression) or [Literal(expression)]
                continue
            for returned in scope.returns:
                yield from self.sources(returned)

    def _same_object(self, expression: Expression) -> list[Leaf]:
        """`Net().to(device)` is the net, where Net is a class of this file that inherits the method."""
        func = expression.node.func if isinstance(expression.node, cst.Call) else None
        if not isinstance(func, cst.Attribute) or func.attr.value not in _SAME_OBJECT:
            return []
        found = self.sources(expression.of(func.value))
        return found if any(self.instance_of(leaf) for leaf in found) else []

    # --- parameters

    def sites(self, function: Scope) -> list[CallSite]:
        """Every call in this file of a function of this file."""
        if self._sites is None:
            self._looking_for_sites = True
            sites: dict[Scope, list[CallSite]] = {}
            for call in self.file.calls:
                for target, bound in self.targets(call):
                    sites.setdefault(target, []).append(CallSite(call, bound))
            self._sites = sites
            self._looking_for_sites = False
        return self._sites.get(function, [])

    def targets(self, call: Expression) -> Iterator[tuple[Scope, bool]]:
        """The functions of this file that a call runs, and whether the object fills a parameter."""
        node = call.node
        through_object = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        for leaf in self.callee(call):
            instance = self.instance_of(leaf)
            if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.CLASS:
                for name in ("__init__", "__post_init__"):
                    method = self.method(leaf.scope, name)
                    if method is not None:
                        yield method, True
            elif isinstance(leaf, Defined):
                yield leaf.scope, through_object and leaf.scope.receiver is not None
            elif instance is not None:
                for name in ("__call__", "forward"):
                    method = self.method(instance, name)
                    if method is not None:
                        yield method, True

    def _parameter(self, function: Scope, name: str) -> Iterator[Leaf]:
        parameter = next(p for p in function.parameters if p.name == name)
        if name == function.receiver and function.owner is not None:
            yield Defined(function.owner) if function.is_class_method else Object(function.owner)
            return
        if parameter.star or self._looking_for_sites:
            self._cuts += self._looking_for_sites
            yield Opaque()
            return
        sites = self.sites(function)
        given = [self.given(site, parameter) for site in sites]
        for argument in given:
            yield from self.sources(argument) if argument is not None else [Opaque()]
        if not sites:
            if parameter.default is not None:
                yield from self.sources(parameter.default)
            yield Opaque()

    def given(self, site: CallSite, parameter: Parameter) -> Expression | None:
        """The argument that fills a parameter at one call; its default where there is none."""
        node = site.call.node
        if not isinstance(node, cst.Call):
            return None
        position = 0
        wanted = None if parameter.position is None else parameter.position - site.bound
        for arg in node.args:
            if arg.star:
                return None
            if arg.keyword is not None and arg.keyword.value == parameter.name:
                return site.call.of(arg.value)
            if arg.keyword is None and position == wanted:
                return site.call.of(arg.value)
            position += arg.keyword is None
        return parameter.default


def _constant(node: cst.CSTNode) -> object:
    if isinstance(node, cst.SimpleString):
        return node.evaluated_value
    return int(node.value, 0) if isinstance(node, cst.Integer) else None
