"""The visitor that the one walk drives: it notes scopes, bindings, calls and loops, and judges nothing."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from flake8_torchloader.reading.guards import Guard, dotted, guard_of, last_name, leaves, returns
from flake8_torchloader.reading.scopes import (
    Binding,
    Block,
    Expression,
    How,
    Parameter,
    Running,
    Scope,
    ScopeKind,
    Spot,
)
from flake8_torchloader.reading.walk import Step

_ADDERS = {"append", "add", "insert", "extend", "update", "setdefault", "appendleft", "put"}
_PATHS = (cst.Tuple, cst.List)


class Collector:
    """What one file holds, in the order of its text; everything is resolved later, on demand."""

    def __init__(self, module: cst.Module) -> None:
        self.scope = Scope(ScopeKind.MODULE, "<module>", module, None)
        self.calls: list[Expression] = []
        self.loops: list[Expression] = []
        self.classes: list[Scope] = []
        self.functions: list[Scope] = []
        self.comprehensions: list[Scope] = []
        self.writes: list[tuple[Expression, Expression]] = []
        self.names: dict[int, str] = {}
        self.parts: set[int] = set()
        self.dropped: set[int] = set()
        self.outer: list[tuple[Expression, Expression]] = []
        self._order = 0
        block = Block(self.scope, None, Running.ALWAYS)
        self._spot = Spot(self.scope, block, 0, Running.ALWAYS, 0)
        self._outer: list[Spot] = []

    # --- where we are

    def _at(self, node: cst.CSTNode) -> Expression:
        return Expression(node, self._spot)

    def _next(self, top: int | None = None) -> None:
        """Begin a statement: it has an order of its own and runs as its block now does."""
        self._order += 1
        spot = self._spot
        here = spot.top if top is None else top
        self._spot = Spot(spot.scope, spot.block, self._order, spot.block.running, here)

    def _inside(self, steps: Iterable[Step], block: Block) -> list[Step]:
        def enter() -> None:
            self._outer.append(self._spot)
            self._spot = Spot(block.scope, block, self._order, block.running, self._spot.top)

        def leave() -> None:
            self._spot = self._outer.pop()

        return [enter, *steps, leave]

    def _branch(self, body: cst.CSTNode | None, running: Running | None = None) -> list[Step]:
        if body is None:
            return []
        return self._inside([body], Block(self._spot.scope, self._spot.block, running or self._spot.running))

    def _scoped(self, scope: Scope, steps: Iterable[Step]) -> list[Step]:
        return self._inside(steps, Block(scope, self._spot.block, Running.ALWAYS))

    # --- statements

    def visit_Module(self, node: cst.Module) -> list[Step]:
        """Each statement of the file is one `top`, by its index."""
        steps: list[Step] = []
        for index, statement in enumerate(node.body):
            steps += [self._begin(index), statement]
        return steps

    def _begin(self, top: int) -> Step:
        return lambda: self._next(top)

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> list[Step]:
        """The small statements of a line run in turn; after one that leaves, nothing runs."""
        steps: list[Step] = []
        for small in node.body:
            steps += [self._next, small]
        if leaves(node):
            steps.append(self._end_block)
        return steps

    visit_SimpleStatementSuite = visit_SimpleStatementLine

    def _end_block(self) -> None:
        self._spot.block.running = Running.NEVER

    def visit_If(self, node: cst.If) -> list[Step]:
        """A branch may be the main program's alone, or nobody's.

        Leaving early guards the rest of a function by `return` alone: `sys.exit()` or `raise` at
        module level end each worker that imports the file.
        """
        self._next()
        guard = guard_of(node.test, self._value_of)
        running = self._spot.running
        yes = no = running
        if running is Running.ALWAYS:
            yes = {Guard.MAIN: Running.GUARDED, Guard.NEVER: Running.NEVER}.get(guard, running)
            no = Running.GUARDED if guard is Guard.NOT_MAIN else running
        steps: list[Step] = [node.test, *self._branch(node.body, yes), *self._branch(node.orelse, no)]
        if guard is Guard.NOT_MAIN and returns(node.body) and running is Running.ALWAYS:
            steps.append(self._guard_rest)
        return steps

    def _guard_rest(self) -> None:
        self._spot.block.running = Running.GUARDED

    def _value_of(self, name: str) -> cst.BaseExpression | None:
        _, bindings = self._spot.scope.find(name)
        value = bindings[0].value if len(bindings) == 1 else None
        if value is None or bindings[0].how is not How.VALUE or bindings[0].path:
            return None
        return value.node if isinstance(value.node, cst.BaseExpression) else None

    def visit_For(self, node: cst.For) -> list[Step]:
        """A loop gives its target the elements, and iterates what stands behind `in`."""
        self._next()
        self.loops.append(self._at(node.iter))
        self._bind(node.target, How.ELEMENT, self._at(node.iter))
        return [node.iter, *self._branch(node.body), *self._branch(node.orelse)]

    def visit_While(self, node: cst.While) -> list[Step]:
        """The body of a loop may run or not."""
        self._next()
        return [node.test, *self._branch(node.body), *self._branch(node.orelse)]

    def visit_Try(self, node: cst.Try) -> list[Step]:
        """Each part of a `try` may run or not."""
        self._next()
        parts = [node.body, *(h.body for h in node.handlers), node.orelse, node.finalbody]
        return [step for part in parts for step in self._branch(part)]

    def visit_With(self, node: cst.With) -> list[Step]:
        """The body of a `with` always runs: it is no branch."""
        self._next()
        for item in node.items:
            if item.asname is not None:
                self._bind(item.asname.name, How.VALUE, self._at(item.item))
        return [*(item.item for item in node.items), node.body]

    def visit_MatchCase(self, node: cst.MatchCase) -> list[Step]:
        """A case may run or not."""
        return self._branch(node.body)

    # --- scopes

    def visit_FunctionDef(self, node: cst.FunctionDef) -> list[Step]:
        """A function is bound here and now; its defaults and decorators run here, its body later."""
        self._next()
        scope = Scope(ScopeKind.FUNCTION, node.name.value, node, self._spot.scope, self._spot)
        scope.decorators = tuple(self._at(d.decorator) for d in node.decorators)
        self.functions.append(scope)
        self._spot.scope.bind(node.name.value, Binding(How.DEFINITION, self._spot, target=scope))
        defaults = self._parameters(scope, node.params)
        return [*(d.decorator for d in node.decorators), *defaults, *self._scoped(scope, [node.body])]

    def visit_Lambda(self, node: cst.Lambda) -> list[Step]:
        """A lambda returns its body."""
        scope = Scope(ScopeKind.LAMBDA, "<lambda>", node, self._spot.scope, self._spot)
        self.functions.append(scope)
        defaults = self._parameters(scope, node.params)

        def note() -> None:
            scope.returns.append(self._at(node.body))

        return [*defaults, *self._scoped(scope, [note, node.body])]

    def _parameters(self, scope: Scope, params: cst.Parameters) -> list[cst.CSTNode]:
        found: list[Parameter] = []
        for param in (*params.posonly_params, *params.params):
            found.append(Parameter(param.name.value, len(found), self._default(param)))
        found += [Parameter(p.name.value, None, self._default(p)) for p in params.kwonly_params]
        for rest, star in ((params.star_arg, "*"), (params.star_kwarg, "**")):
            if isinstance(rest, cst.Param):
                found.append(Parameter(rest.name.value, None, None, star))
        scope.parameters = tuple(found)
        for one in found:
            scope.bind(one.name, Binding(How.PARAMETER, self._spot, target=scope, name=one.name))
        return [one.default.node for one in found if one.default is not None]

    def _default(self, param: cst.Param) -> Expression | None:
        return None if param.default is None else self._at(param.default)

    def visit_ClassDef(self, node: cst.ClassDef) -> list[Step]:
        """The body of a class runs where the class stands."""
        self._next()
        scope = Scope(ScopeKind.CLASS, node.name.value, node, self._spot.scope, self._spot)
        scope.bases = tuple(self._at(arg.value) for arg in node.bases)
        scope.decorators = tuple(self._at(d.decorator) for d in node.decorators)
        self.classes.append(scope)
        self._spot.scope.bind(node.name.value, Binding(How.DEFINITION, self._spot, target=scope))
        block = Block(scope, self._spot.block, self._spot.running)
        headers = [*(d.decorator for d in node.decorators), *(arg.value for arg in node.bases)]
        return [*headers, *self._inside([node.body], block)]

    def _comprehension(self, node: cst.BaseComp, *results: cst.CSTNode) -> list[Step]:
        scope = Scope(ScopeKind.COMPREHENSION, "<comprehension>", node, self._spot.scope, self._spot)
        self.comprehensions.append(scope)
        here = self._spot

        def enter() -> None:
            self._outer.append(here)
            self._spot = Spot(scope, here.block, here.order, here.running, here.top)

        def leave() -> None:
            self._spot = self._outer.pop()

        return [enter, node.for_in, *results, leave]

    def visit_ListComp(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> list[Step]:
        """A comprehension has names of its own, but runs where it stands."""
        return self._comprehension(node, node.elt)

    visit_SetComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: cst.DictComp) -> list[Step]:
        """As the other comprehensions."""
        return self._comprehension(node, node.key, node.value)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        """The loop of a comprehension iterates as any other."""
        self.loops.append(self._at(node.iter))
        self._bind(node.target, How.ELEMENT, self._at(node.iter))

    # --- bindings

    def _bind(self, target: cst.CSTNode, how: How, value: Expression | None, path: tuple[int, ...] = ()) -> None:
        """Note that a target gets a value, or the part of it to which `path` leads."""
        if isinstance(target, _PATHS):
            for index, element in enumerate(target.elements):
                starred = isinstance(element, cst.StarredElement)
                inner = How.OTHER if starred else how
                self._bind(element.value, inner, value, (*path, index))
            return
        match target:
            case cst.Name(value=name):
                self._bind_name(name, Binding(how, self._spot, value, path))
            case cst.Attribute(value=cst.Name(value=receiver), attr=cst.Name(value=name)):
                if not self._bind_attribute(receiver, name, Binding(how, self._spot, value, path)) and value:
                    self.parts.add(id(value.node))
                    self.outer.append((self._at(target), value))
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
        value = self._at(node.value)
        for target in node.targets:
            self._bind_parts(target.target, value)
            self._name(node.value, dotted(target.target))
        targets = [target.target for target in node.targets]
        self._name_elements(targets[0], node.value)
        return [*(t for t in targets if isinstance(t, cst.Subscript)), node.value]

    def _bind_parts(self, target: cst.CSTNode, value: Expression) -> None:
        """`a, b = x, y` is two assignments."""
        parts = value.node
        if not isinstance(target, _PATHS) or not isinstance(parts, _PATHS):
            self._bind(target, How.VALUE, value)
            return
        starred = any(isinstance(e, cst.StarredElement) for e in (*target.elements, *parts.elements))
        if starred or len(target.elements) != len(parts.elements):
            self._bind(target, How.VALUE, value)
            return
        for left, right in zip(target.elements, parts.elements):
            self._bind_parts(left.value, value.of(right.value))

    def _name_elements(self, target: cst.CSTNode, value: cst.CSTNode) -> None:
        if isinstance(target, _PATHS) and isinstance(value, _PATHS):
            for left, right in zip(target.elements, value.elements):
                self._name(right.value, dotted(left.value))

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
        self._bind(node.target, how, self._at(node.value))
        return [node.value]

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

    def visit_Return(self, node: cst.Return) -> None:
        """What a function may return."""
        function = self._spot.scope.function
        if node.value is not None and function is not None:
            function.returns.append(self._at(node.value))

    def visit_Yield(self, node: cst.Yield) -> None:
        """A function that yields is a generator: calling it returns none of its values."""
        function = self._spot.scope.function
        if function is not None:
            function.is_generator = True

    def visit_Call(self, node: cst.Call) -> None:
        """Every call; `x.append(y)` puts y into what x holds."""
        self.calls.append(self._at(node))
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _ADDERS and node.args:
            self._bind(node.func.value, How.ADDED, self._at(node.args[-1].value))
        if last_name(node) in ("set_transform", "set_format") and isinstance(node.func, cst.Attribute):
            self.outer += [(self._at(node.func), self._at(arg.value)) for arg in node.args]

    # --- nothing below these can matter

    def visit_SimpleString(self, node: cst.SimpleString) -> list[Step]:
        """A leaf."""
        return []

    visit_Name = visit_Integer = visit_Float = visit_Comment = visit_SimpleString

    def visit_Attribute(self, node: cst.Attribute) -> list[Step]:
        """The name behind the dot is no name of a scope."""
        return [node.value]

    def visit_Arg(self, node: cst.Arg) -> list[Step]:
        """The keyword of an argument is no name of a scope."""
        return [node.value]
