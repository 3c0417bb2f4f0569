"""The visitor that the one walk drives: it notes scopes, bindings, calls and loops, and judges nothing."""

from __future__ import annotations

import libcst as cst

from flake8_torchloader.reading.known import ADDERS
from flake8_torchloader.reading.tree.bindings import Binder
from flake8_torchloader.reading.tree.guards import (
    Guard,
    breaks,
    catches,
    guard_of,
    is_case_of_main,
    is_to_fail,
    last_name,
    leaves,
    returns,
    wants_failure,
)
from flake8_torchloader.reading.tree.scopes import (
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
from flake8_torchloader.reading.tree.walk import Step, inner

_SPREADERS = {"extend", "update"}
_SETTERS = {"setattr", "delattr", "pop"}


class Collector(Binder):
    """What one file holds, in the order of its text; everything is resolved later, on demand.

    `awaited` are the calls whose failure is caught, or wanted by a test; `broken` what is iterated by
    loops that end after one round.
    """

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module)
        self.calls: list[Expression] = []
        self.calls_of: dict[Scope | None, list[Expression]] = {}
        self.loops: list[Expression] = []
        self.loops_of: dict[Scope | None, list[Expression]] = {}
        self.classes: list[Scope] = []
        self.by_node: dict[int, Scope] = {}
        self.awaited: set[int] = set()
        self.broken: set[int] = set()
        self._waiting = 0

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
        self._next()
        steps: list[Step] = [node.body[0]]
        for small in node.body[1:]:
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
        branches = [*self._branch(node.body, yes, node.test), *self._branch(node.orelse, no, node.test)]
        steps: list[Step] = [node.test, *branches]
        if guard is Guard.NOT_MAIN and returns(node.body) and running is Running.ALWAYS:
            steps.append(self.guard_rest)
        return steps

    def guard_rest(self) -> None:
        """What follows in this block runs in the parent only."""
        self._spot.block.running = Running.GUARDED

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> list[Step]:
        """`__name__ == "__main__" and main()` guards as an `if` does."""
        is_guard = isinstance(node.operator, cst.And) and guard_of(node.left, self._value_of) is Guard.MAIN
        return [node.left, *(self._only_main([node.right]) if is_guard else [node.right])]

    def visit_IfExp(self, node: cst.IfExp) -> list[Step]:
        """As `main() if __name__ == "__main__" else None`."""
        guard = guard_of(node.test, self._value_of)
        yes = self._only_main([node.body]) if guard is Guard.MAIN else [node.body]
        no = self._only_main([node.orelse]) if guard is Guard.NOT_MAIN else [node.orelse]
        return [node.test, *yes, *no]

    def _only_main(self, steps: list[Step]) -> list[Step]:
        """Visit what only the main program runs, if it runs at all."""
        spot = self._spot
        running = Running.GUARDED if spot.running is Running.ALWAYS else spot.running
        return self._inside(steps, Block(spot.scope, spot.block, running))

    def visit_For(self, node: cst.For) -> list[Step]:
        """A loop gives its target the elements, and iterates what stands behind `in`."""
        self._next()
        self._iterated(node.iter)
        if breaks(node.body):
            self.broken.add(id(node.iter))
        self._bind(node.target, How.ELEMENT, self._at(node.iter))
        return [node.iter, *self._branch(node.body, loop=node), *self._branch(node.orelse)]

    def _iterated(self, node: cst.CSTNode) -> None:
        self.loops.append(self._at(node))
        self.loops_of.setdefault(self._spot.scope.function, []).append(self.loops[-1])

    def visit_While(self, node: cst.While) -> list[Step]:
        """The body of a loop may run or not."""
        self._next()
        return [node.test, *self._branch(node.body, loop=node), *self._branch(node.orelse)]

    def visit_Try(self, node: cst.Try) -> list[Step]:
        """The body of a `try`, and what comes `finally`, run like what stands around; other parts may run or not."""
        self._next()
        parts = [*(h.body for h in node.handlers), node.orelse]
        body = self._awaiting([node.body]) if any(map(catches, node.handlers)) else [node.body]
        last = [node.finalbody.body] if node.finalbody is not None else []
        return [*body, *(step for part in parts for step in self._branch(part)), *last]

    def _awaiting(self, steps: list[Step]) -> list[Step]:
        def add(number: int) -> Step:
            return lambda: setattr(self, "_waiting", self._waiting + number)

        return [add(1), *steps, add(-1)]

    def visit_With(self, node: cst.With) -> list[Step]:
        """The body of a `with` always runs: it is no branch."""
        self._next()
        for item in node.items:
            if item.asname is not None:
                self._bind(item.asname.name, How.VALUE, self._at(item.item))
        items = [item.item for item in node.items]
        return [*items, *(self._awaiting([node.body]) if any(map(wants_failure, items)) else [node.body])]

    def visit_Match(self, node: cst.Match) -> list[Step]:
        """A case may run or not; that of `__main__` is the main program's alone."""
        self._next()
        here = self._spot.running
        steps: list[Step] = [node.subject]
        for case in node.cases:
            is_main = here is Running.ALWAYS and is_case_of_main(node.subject, case.pattern)
            steps += self._branch(case.body, Running.GUARDED if is_main else here)
        return steps

    # --- scopes

    def _named(self, kind: ScopeKind, name: str, node: cst.CSTNode) -> Scope:
        return self._new_scope(kind, name, node)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> list[Step]:
        """A function is bound here and now; its defaults and decorators run here, its body later."""
        self._next()
        scope = self._named(ScopeKind.FUNCTION, node.name.value, node)
        scope.decorators = tuple(self._at(d.decorator) for d in node.decorators)
        self._spot.scope.bind(node.name.value, Binding(How.DEFINITION, self._spot, target=scope))
        defaults = self._parameters(scope, node.params)
        body = self._scoped(scope, [node.body])
        is_to_be = not any(is_to_fail(d.decorator) for d in node.decorators)
        return [*(d.decorator for d in node.decorators), *defaults, *(body if is_to_be else self._awaiting(body))]

    def visit_Lambda(self, node: cst.Lambda) -> list[Step]:
        """A lambda returns its body."""
        scope = self._new_scope(ScopeKind.LAMBDA, "<lambda>", node)
        self.by_node[id(node)] = scope
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
        scope = self._named(ScopeKind.CLASS, node.name.value, node)
        scope.bases = tuple(self._at(arg.value) for arg in node.bases)
        scope.decorators = tuple(self._at(d.decorator) for d in node.decorators)
        self.classes.append(scope)
        self._spot.scope.bind(node.name.value, Binding(How.DEFINITION, self._spot, target=scope))
        block = Block(scope, self._spot.block, self._spot.running)
        headers = [*(d.decorator for d in node.decorators), *(arg.value for arg in node.bases)]
        return [*headers, *self._inside([node.body], block)]

    def _comprehension(self, node: cst.BaseComp, *results: cst.CSTNode) -> list[Step]:
        scope = self._new_scope(ScopeKind.COMPREHENSION, "<comprehension>", node)
        self.by_node[id(node)] = scope
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

    def visit_StarredElement(self, node: cst.StarredElement) -> None:
        """`[*loader]` iterates what it unpacks."""
        self._iterated(node.value)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        """The loop of a comprehension iterates as any other."""
        self._iterated(node.iter)
        self._bind(node.target, How.ELEMENT, self._at(node.iter))

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
            if isinstance(node.value, cst.From):
                function.delegates.append(self._at(node.value.item))

    def visit_Call(self, node: cst.Call) -> list[Step]:
        """Every call; `x.append(y)` puts y into what x holds."""
        self.calls.append(self._at(node))
        if self._waiting:
            self.awaited.add(id(node))
        self.calls_of.setdefault(self._spot.scope.function, []).append(self.calls[-1])
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in ADDERS and node.args:
            self._bind(node.func.value, How.ADDED, self._at(node.args[-1].value))
            if node.func.attr.value in _SPREADERS:
                self.spread.add(id(node.args[-1].value))
        if last_name(node) in _SETTERS:
            self._set_by_name(node)
        if last_name(node) in ("set_transform", "set_format") and isinstance(node.func, cst.Attribute):
            self.outer += [(self._at(node.func), self._at(arg.value)) for arg in node.args]
        steps: list[Step] = [*inner([node.func]), *inner([arg.value for arg in node.args])]
        return self._awaiting(steps) if wants_failure(node) else steps

    def _set_by_name(self, node: cst.Call) -> None:
        """`setattr(self, "x", value)`, `delattr(self, "x")` and `self.__dict__.pop("x")`."""
        match node.func, [arg.value for arg in node.args]:
            case (
                cst.Attribute(
                    value=cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value="__dict__")),
                    attr=cst.Name(value="pop"),
                ),
                [cst.SimpleString() as name, *_],
            ):
                bound = Binding(How.OTHER, self._spot)
            case cst.Name(value="setattr"), [cst.Name(value=owner), cst.SimpleString() as name, value]:
                bound = Binding(How.VALUE, self._spot, self._at(value))
            case cst.Name(value="delattr"), [cst.Name(value=owner), cst.SimpleString() as name]:
                bound = Binding(How.OTHER, self._spot)
            case _:
                return
        self._bind_attribute(owner, str(name.evaluated_value), bound)

    def visit_Attribute(self, node: cst.Attribute) -> list[cst.CSTNode]:
        """The name behind the dot is no name of a scope."""
        return inner([node.value])
