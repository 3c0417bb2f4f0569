"""The visitor's first half: how names, attributes and containers get their values."""

from __future__ import annotations

import libcst as cst

from flake8_torchloader.reading.tree.cursor import Cursor
from flake8_torchloader.reading.tree.guards import dotted, last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, ScopeKind
from flake8_torchloader.reading.tree.walk import Step

_PATHS = (cst.Tuple, cst.List)


class Binder(Cursor):
    """Notes every assignment and import, in the order of the text.

    `names` has the first name that a value is given, by the id of its node; `parts` the values put
    on other objects, which `outer` has with their targets, and `far` if those are attributes
    themselves; `writes` those put under a key; `spread` those of which the elements are taken;
    `dropped` the statements whose value nobody takes; `emptied` the containers out of which
    something is deleted, by name.
    """

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module)
        self.writes: list[tuple[Expression, Expression]] = []
        self.names: dict[int, str] = {}
        self.parts: set[int] = set()
        self.spread: set[int] = set()
        self.dropped: set[int] = set()
        self.emptied: set[str] = set()
        self.outer: list[tuple[Expression, Expression]] = []
        self.far: list[tuple[Expression, Expression]] = []

    def _bind(
        self, target: cst.CSTNode, how: How, value: Expression | None, path: tuple[int, ...] = (), count: int = 0
    ) -> None:
        """Note that a target gets a value, or the part of it to which `path` leads, of `count` if that is known."""
        if isinstance(target, _PATHS):
            stars = [isinstance(element, cst.StarredElement) for element in target.elements]
            parts = count if path or any(stars) else len(stars)
            for index, element in enumerate(target.elements):
                inner = How.OTHER if stars[index] else how
                self._bind(element.value, inner, value, (*path, index), parts)
            return
        match target:
            case cst.Name(value=name):
                self._bind_name(name, Binding(how, self._spot, value, path, count=count))
            case cst.Attribute(value=cst.Name(value=receiver), attr=cst.Name(value=name)):
                binding = Binding(how, self._spot, value, path, count=count)
                if not self._bind_attribute(receiver, name, binding) and value:
                    self.parts.add(id(value.node))
                    self.outer.append((self._at(target), value))
            case cst.Attribute() if value is not None:
                self.parts.add(id(value.node))
                self.far.append((self._at(target), value))
            case cst.Subscript(value=base):
                self._bind(base, How.ADDED, value, path)
                if value is not None:
                    self.writes.append((self._at(target), value))

    def _bind_name(self, name: str, binding: Binding) -> None:
        scope = self._spot.scope
        while name in scope.outer_names and scope.parent is not None:
            scope = scope.parent if name in scope.parent.bindings else scope.module
        scope.bind(name, binding)

    def _bind_attribute(self, receiver: str, name: str, binding: Binding) -> bool:
        """Note an attribute of the object whose method this is; tell whether it is that object's."""
        for scope in self._spot.scope.around():
            if scope.receiver == receiver and scope.owner is not None:
                scope.owner.attributes.setdefault(name, []).append(binding)
                return True
        return False

    def visit_Assign(self, node: cst.Assign) -> list[Step]:
        """Every target gets the value; a call is known by the first name it is given."""
        targets = [target.target for target in node.targets]
        for target in targets:
            self._assign(target, self._at(node.value))
        return [*(t for t in targets if isinstance(t, cst.Subscript)), node.value]

    def _assign(self, target: cst.CSTNode, value: Expression) -> None:
        """`a, b = x, y` is two assignments."""
        parts = value.node
        if isinstance(target, _PATHS) and isinstance(parts, _PATHS):
            starred = any(isinstance(e, cst.StarredElement) for e in (*target.elements, *parts.elements))
            if not starred and len(target.elements) == len(parts.elements):
                for left, right in zip(target.elements, parts.elements):
                    self._assign(left.value, value.of(right.value))
                return
        self._bind(target, How.VALUE, value)
        self._name(value.node, dotted(target))

    def _name(self, value: cst.CSTNode, name: str) -> None:
        """Remember the first name that a value is given; `Net().to(device)` is known by the name of the net."""
        while isinstance(value, cst.Call):
            self.names.setdefault(id(value), name)
            value = value.func.value if isinstance(value.func, cst.Attribute) else value.func
        if name:
            self.names.setdefault(id(value), name)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> list[Step]:
        """As an assignment, if there is a value."""
        if node.value is None:
            return []
        self._bind(node.target, How.VALUE, self._at(node.value))
        self._name(node.value, dotted(node.target))
        return [node.value]

    def visit_AugAssign(self, node: cst.AugAssign) -> list[Step]:
        """`x += [y]` adds to what x holds; other arithmetic makes it unknown."""
        how = How.ADDED if isinstance(node.operator, cst.AddAssign) else How.OTHER
        self.spread.add(id(node.value))
        self._bind(node.target, how, self._at(node.value))
        return [node.value]

    def visit_Del(self, node: cst.Del) -> list[Step]:
        """What is deleted is no longer there."""
        targets = node.target.elements if isinstance(node.target, cst.Tuple) else [node.target]
        for target in targets:
            name = target.value if isinstance(target, cst.Element) else target
            if isinstance(name, cst.Attribute):
                self._bind(name, How.OTHER, None)
            if isinstance(name, cst.Subscript):
                self.emptied.add(last_name(name.value))
        return []

    def visit_Expr(self, node: cst.Expr) -> None:
        """A statement whose value nobody takes."""
        self.dropped.add(id(node.value))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> list[Step]:
        """A walrus binds outside the comprehension it stands in."""
        scope = next(s for s in self._spot.scope.around() if s.kind is not ScopeKind.COMPREHENSION)
        if isinstance(node.target, cst.Name):
            scope.bind(node.target.value, Binding(How.VALUE, self._spot, self._at(node.value)))
            self._name(node.value, node.target.value)
        return [node.value]

    def visit_Import(self, node: cst.Import) -> list[Step]:
        """`import a.b` binds `a`, `import a.b as c` binds `c` to `a.b`."""
        for alias in node.names:
            full = dotted(alias.name)
            local = dotted(alias.asname.name) if alias.asname else ""
            name = local or full.split(".")[0]
            self._bind_name(name, Binding(How.IMPORT, self._spot, name=full if local else name))
        return []

    def visit_ImportFrom(self, node: cst.ImportFrom) -> list[Step]:
        """A relative import keeps its dots: `.data.Loader`."""
        base = "." * len(node.relative) + (dotted(node.module) if node.module else "")
        if isinstance(node.names, cst.ImportStar):
            self._spot.scope.stars.append(base)
            return []
        for alias in node.names:
            name = dotted(alias.name)
            local = dotted(alias.asname.name) if alias.asname else name
            full = f"{base}{name}" if base.endswith(".") else f"{base}.{name}"
            self._bind_name(local, Binding(How.IMPORT, self._spot, name=full))
        return []

    def visit_Global(self, node: cst.Global | cst.Nonlocal) -> list[Step]:
        """The names belong to a scope further out."""
        self._spot.scope.outer_names.update(item.name.value for item in node.names)
        return []

    visit_Nonlocal = visit_Global

    def _value_of(self, name: str) -> cst.BaseExpression | None:
        _, bindings = self._spot.scope.find(name)
        value = bindings[0].value if len(bindings) == 1 else None
        if value is None or bindings[0].how is not How.VALUE or bindings[0].path:
            return None
        return value.node if isinstance(value.node, cst.BaseExpression) else None
