"""What an expression may be: names followed through imports, assignments, attributes and calls.

The answer is a list of leaves. Nothing is ever guessed: what can't be followed is `Opaque`, and
whoever asks decides what that means.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from pathlib import Path

import libcst as cst

from flake8_torchloader.reading.flow.callsites import CallSites
from flake8_torchloader.reading.flow.containers import Containers
from flake8_torchloader.reading.flow.fields import Fields
from flake8_torchloader.reading.flow.leaves import (
    Defined,
    Element,
    Imported,
    Leaf,
    Literal,
    Namespace,
    Object,
    Opaque,
)
from flake8_torchloader.reading.flow.questions import Questions
from flake8_torchloader.reading.known import STAR_EXPORTS
from flake8_torchloader.reading.project.imports import Imports
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.scopes import (
    Binding,
    Expression,
    Frame,
    How,
    Scope,
    ScopeKind,
    Spot,
    reaching,
)
from flake8_torchloader.settings import Settings

_MOST = 64
"""How many of the bindings of one attribute are looked at, the last ones, and how many of the classes above one."""

_SAME_OBJECT = {"to", "cuda", "cpu", "eval", "train", "half", "float", "double", "requires_grad_", "__enter__"}
"""Methods that a library's class gives to this file's subclasses, and that return the object itself."""

_BUILTINS = frozenset(dir(builtins))

_OF_PYTHON_2 = ("cPickle", "six.moves.cPickle")
"""What is imported in place of `pickle` where Python is old; code for both is read as that for today's."""


class Names(Questions):
    """Answers what the expressions of one file may be, and those of others that it leads to."""

    def __init__(self, file: Collector, path: Path | None = None, settings: Settings = Settings()) -> None:
        super().__init__(file)
        self.calls = CallSites(self)
        self.containers = Containers(self)
        self.fields = Fields(self)
        self.imports = Imports(self, path, settings) if path is not None and settings.follow_depth else None
        self._bases: dict[Scope, list[Scope]] = {}

    def forget(self) -> None:
        """Let go of the file and of all that was found out: nothing can be asked any more."""
        self.file.forget()
        vars(self).clear()

    def instance_of(self, leaf: Leaf) -> Scope | None:
        """The class of this file of which a leaf is an object, if it is one."""
        if type(leaf) is Object:
            return leaf.scope
        if type(leaf) is not Literal or type(leaf.expression.node) is not cst.Call:
            return None
        for target in self.callee(leaf.expression):
            if isinstance(target, Defined) and target.scope.kind is ScopeKind.CLASS:
                return target.scope
        return None

    def _follow(self, expression: Expression) -> list[Leaf]:
        node = expression.node
        if type(node) is cst.Name:
            return self._name(node.value, expression)
        if type(node) is cst.Attribute:
            return list(self._attribute(expression, node))
        if type(node) is cst.Call:
            return list(self._call(expression))
        if type(node) is cst.Subscript:
            return list(self._subscript(expression, node))
        if isinstance(node, cst.IfExp):
            sides: list[cst.CSTNode] = [node.body, node.orelse]
        elif isinstance(node, cst.BooleanOperation):
            sides = [node.left, node.right]
        else:
            sides = [node.expression if isinstance(node, cst.Await) else cst.ensure_type(node, cst.NamedExpr).value]
        return [leaf for side in sides for leaf in self.sources(expression.of(side))]

    def _name(self, name: str, at: Expression) -> list[Leaf]:
        bindings = reaching(name, at.spot)
        if not bindings:
            return self._starred(name, at.spot) or [self._unbound(name, at.spot)]
        return [leaf for binding in bindings for leaf in self._binding(binding, at.frame)]

    def _starred(self, name: str, spot: Spot) -> list[Leaf]:
        module = spot.scope.module
        return self.imports.starred(name, module) if self.imports is not None and module.stars else []

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

    def _binding(self, binding: Binding, frame: Frame | None = None) -> Iterable[Leaf]:
        how, target = binding.how, binding.target
        value = binding.value.within(frame) if binding.value is not None else None
        if how is How.IMPORT:
            return self._import(binding.name, binding.spot.scope)
        if how is How.DEFINITION and target is not None:
            return [Defined(target)]
        if how is How.PARAMETER and target is not None:
            return self.calls.parameter(target, binding.name, frame)
        if how is How.VALUE and value is not None:
            leaves = self.sources(value)
            fitting = _of_length(leaves, binding.count) if binding.count else leaves
            return self.containers.unpack(fitting or leaves, binding.path)
        if how is How.ELEMENT and value is not None:
            return self.containers.unpack(self.containers.elements(value), binding.path)
        return [Element(value)] if how is How.ADDED and value is not None else [Opaque()]

    def _import(self, name: str, scope: Scope) -> list[Leaf]:
        """What a full name is that is imported in a scope: of the project if it is found there."""
        found = self.imports.leaves(name, scope.module) if self.imports is not None else []
        return found or [Imported(name if not name.startswith(_OF_PYTHON_2) else _today(name))]

    def _subscript(self, expression: Expression, node: cst.Subscript) -> Iterator[Leaf]:
        keys = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
        base = expression.of(node.value)
        key = keys[0] if len(keys) == 1 else None
        for leaf in self.sources(base):
            if isinstance(leaf, (Imported, Defined)):
                yield leaf  # `Dataset[int]` is the class
                continue
            found = self.containers.item(leaf, key)
            if not found:
                yield Literal(expression)
            yield from found

    def _attribute(self, expression: Expression, node: cst.Attribute) -> Iterator[Leaf]:
        name = node.attr.value
        for leaf in self._objects(expression.of(node.value)):
            owner = leaf.scope if isinstance(leaf, Defined) else self.instance_of(leaf)
            if isinstance(leaf, Imported):
                yield from self._import(f"{leaf.name}.{name}", expression.spot.scope)
            elif isinstance(leaf, Namespace) and self.imports is not None:
                yield from self.imports.member(leaf.scope, name) or [Opaque()]
            elif owner is not None and name == "__class__":
                yield Defined(owner)
            elif owner is not None and owner.kind is ScopeKind.CLASS:
                given = self.fields.given(leaf, name)
                yield from given or self.attribute(owner, name, leaf) or [Literal(expression)]
            else:
                yield from self.fields.given(leaf, name) or [Literal(expression)]

    def _objects(self, expression: Expression) -> list[Leaf]:
        """What stands before a dot; `super()` is an object of the nearest base of this file, `type(x)` a class."""
        node = expression.node
        if isinstance(node, cst.Call) and self._is_type(node):
            owners = [self.instance_of(leaf) for leaf in self.sources(expression.of(node.args[0].value))]
            return [Defined(owner) if owner is not None else Opaque() for owner in owners]
        if isinstance(node, cst.Call) and self._is_super(node):
            method = next((s for s in expression.spot.scope.around() if s.owner), None)
            bases = self.bases(method.owner) if method and method.owner else []
            return [Object(bases[0])] if bases else [Opaque()]
        return self.sources(expression)

    @staticmethod
    def _is_super(node: cst.Call) -> bool:
        return isinstance(node.func, cst.Name) and node.func.value == "super"

    @staticmethod
    def _is_type(node: cst.Call) -> bool:
        return isinstance(node.func, cst.Name) and node.func.value == "type" and len(node.args) == 1

    def bases(self, scope: Scope) -> list[Scope]:
        """The classes of this file that a class inherits from, the nearest first."""
        if scope in self._bases:
            return self._bases[scope]
        cuts = self.cuts
        found = self._find_bases(scope)
        if cuts == self.cuts:
            self._bases[scope] = found
        return found

    def _find_bases(self, scope: Scope) -> list[Scope]:
        found: list[Scope] = []
        queue = [scope]
        while queue and len(found) < _MOST:
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

    def attribute(self, scope: Scope, name: str, of: Leaf | None = None) -> list[Leaf]:
        """What an object of a class has under a name; `of` is that object, where it is known."""
        found: list[Leaf] = []
        for one in (scope, *self.bases(scope)):
            bindings = [*one.attributes.get(name, [])[-_MOST:], *one.bindings.get(name, ())]
            for binding in bindings:
                frame = self._frame_of(scope, binding, of)
                if binding.target is not None and binding.target.is_property:
                    found += [leaf for r in binding.target.returns for leaf in self.sources(r.within(frame))]
                else:
                    found += self._binding(binding, frame)
            if bindings:
                break
        return found

    def _frame_of(self, scope: Scope, binding: Binding, of: Leaf | None) -> Frame | None:
        """The run of another file's method in which an object got an attribute, or gives one as a property."""
        if not isinstance(of, Literal) or self.is_own(binding.spot.scope):
            return None
        target, init = binding.target, self.method(scope, "__init__")
        if target is not None and target.is_property:
            return self.calls.frame(target, of.expression, of.expression)
        is_of_init = init is not None and init is binding.spot.scope.function
        return self.calls.frame(init, of.expression) if init is not None and is_of_init else None

    def _call(self, expression: Expression) -> Iterator[Leaf]:
        """A call of a function of this project is what that returns; any other stands for itself."""
        for leaf in self.callee(expression) or [Opaque()]:
            scope = leaf.scope if isinstance(leaf, Defined) else None
            if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
                scope = self.inner_scope(leaf.expression)
            if scope is None or scope.kind is ScopeKind.CLASS or not self._returns(scope):
                yield from self._same_object(expression) or [Literal(expression)]
                continue
            frame = self.calls.frame(scope, expression)
            for returned in scope.returns:
                yield from self.sources(returned.within(frame))

    def _returns(self, scope: Scope) -> bool:
        return self.may_give(scope) and not scope.is_generator and bool(scope.returns)

    def _same_object(self, expression: Expression) -> list[Leaf]:
        """`Net().to(device)` is the net, where Net is a class of this file that inherits the method."""
        func = expression.node.func if isinstance(expression.node, cst.Call) else None
        if not isinstance(func, cst.Attribute) or func.attr.value not in _SAME_OBJECT:
            return []
        found = self.sources(expression.of(func.value))
        return found if any(self.instance_of(leaf) for leaf in found) else []


def _today(name: str) -> str:
    """The full name that a thing of Python 2's `cPickle` has today."""
    old = next((one for one in reversed(_OF_PYTHON_2) if f"{name}.".startswith(f"{one}.")), "")
    return f"pickle{name.removeprefix(old)}" if old else name


def _of_length(leaves: list[Leaf], count: int) -> list[Leaf]:
    """The values that can be unpacked into so many parts, as far as their text tells."""
    return [leaf for leaf in leaves if _length(leaf) in (count, None)]


def _length(leaf: Leaf) -> int | None:
    node = leaf.node if isinstance(leaf, Literal) else None
    if not isinstance(node, (cst.Tuple, cst.List)) or any(isinstance(e, cst.StarredElement) for e in node.elements):
        return None
    return len(node.elements)
