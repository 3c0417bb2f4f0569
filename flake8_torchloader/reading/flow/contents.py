"""What travels with a value: everything that it holds, however deep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from flake8_torchloader.reading.flow.arguments import ArgumentReader
from flake8_torchloader.reading.flow.callsites import CallSite
from flake8_torchloader.reading.flow.choices import choice
from flake8_torchloader.reading.flow.leaves import Element, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.known import KEEPERS, NOT_KEPT, is_dataset_name
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Parameter, Scope, lasting

_KEPT_BY_NAME = re.compile(r"transform|augment|preproc|collat|tokeniz|_fn$|func$|loader$|processor")
_USED_AT_ONCE = re.compile(r"filter|sort|key|map|split|init")
_CHAINED = ("webdataset.", "torchdata.")
_NUMBERS = {cst.Integer, cst.Float}
"""What holds nothing, and may stand in a table by the thousand."""

_DISPLAYS = (cst.List, cst.Tuple, cst.Set, cst.ListComp, cst.SetComp, cst.GeneratorExp)

Held = tuple[Leaf, Expression]
"""A leaf, and the argument or element as which it was handed over last: one of the linted file, unless another file
hands it over without it, or has a dataset that keeps it."""


class Contents:
    """Looks into containers, transforms, datasets and closures."""

    def __init__(self, names: Names, arguments: ArgumentReader) -> None:
        self.names = names
        self.arguments = arguments
        self._outer: dict[int, list[Expression]] | None = None
        self._known: dict[tuple[Expression, bool], tuple[Held, ...]] = {}
        self._calls: dict[Scope, set[str]] = {}

    def of(self, expression: Expression, *, spent: bool = True) -> tuple[Held, ...]:
        """Every leaf that an expression holds, itself included, each once.

        What `list(x)` and the like have gone through is among them only if `spent`: they keep its elements, not itself.
        """
        key = (expression, spent)
        if key not in self._known:
            cuts = self.names.cuts
            found = tuple(self._found(expression, spent=spent))
            if cuts != self.names.cuts:
                return found
            self._known[key] = found
        return self._known[key]

    def _found(self, expression: Expression, *, spent: bool) -> Iterator[Held]:
        seen: set[Leaf] = set()
        stack: list[Held] = [(leaf, expression) for leaf in self.names.sources(expression)]
        while stack:
            leaf, mention = stack.pop()
            if leaf in seen:
                continue
            seen.add(leaf)
            yield leaf, mention
            keeps = self._is_dataset_of_others(leaf)
            goes_through = not spent and self._goes_through(leaf)
            for inner in self._made_elements(leaf) if goes_through else self._inside(leaf, spent=spent):
                handed = inner if keeps or self.names.own(inner) is inner else mention
                stack += [(deeper, handed) for deeper in self.names.sources(inner)]

    def _is_dataset_of_others(self, leaf: Leaf) -> bool:
        """Whether another file has the dataset that a value is, so that what it keeps by itself is said there."""
        scope = self.names.instance_of(leaf)
        if scope is not None:
            return not self.names.is_own(scope) and any(map(is_dataset_name, self.names.base_names(scope)))
        if not isinstance(leaf, Literal) or self.names.own(leaf.expression) is leaf.expression:
            return False
        return is_dataset_name(self.names.callee_name(leaf.expression))

    def _goes_through(self, leaf: Leaf) -> bool:
        """Whether this is a call that takes the elements of its arguments: of a builtin, mostly."""
        name = self.names.callee_name(leaf.expression) if isinstance(leaf, Literal) else ""
        return name.startswith("builtins.") or name == "collections.OrderedDict"

    def _made_elements(self, leaf: Leaf) -> Iterator[Expression]:
        """What `list(open(path) for path in paths)` keeps: elements that are made for it."""
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Call):
            given = (leaf.expression.of(arg.value) for arg in leaf.node.args)
            comprehensions = (e for e in given if isinstance(e.node, (cst.GeneratorExp, cst.ListComp, cst.List)))
            yield from (inner for e in comprehensions for inner in self._inside(Literal(e), spent=False))

    def _spread(self, value: Expression) -> Iterator[Expression]:
        """What `x.extend(value)` leaves in x: the elements of a display or a comprehension, but not that itself."""
        for leaf in self.names.sources(value):
            if isinstance(leaf, Literal) and isinstance(leaf.node, _DISPLAYS):
                yield from self._inside(leaf, spent=False)

    def _is_used_up(self, at: Expression, element: cst.CSTNode) -> bool:
        """Whether `*iterator` leaves nothing of what it unpacks but the elements, which are not known."""
        if not isinstance(element, cst.StarredElement):
            return False
        leaves = self.names.sources(at.of(element.value))
        return all(isinstance(one, Literal) and isinstance(one.node, (cst.Call, cst.GeneratorExp)) for one in leaves)

    def takes_apart(self, binding: Binding) -> bool:
        """Whether an attribute gets no more than elements of a value, and not such as are written there."""
        value = binding.value
        if value is None or isinstance(value.node, (cst.BaseList, cst.BaseDict, cst.BaseSet, cst.Tuple, cst.ListComp)):
            return False
        return bool(binding.path) or self.names.is_spread(value)

    def _inside(self, leaf: Leaf, *, spent: bool) -> Iterator[Expression]:
        if isinstance(leaf, Element):
            is_gone = not spent and self.names.is_spread(leaf.expression)
            yield from self._spread(leaf.expression) if is_gone else [leaf.expression]
        if not isinstance(leaf, Literal):
            return
        node, at = leaf.node, leaf.expression
        match node:
            case cst.Call():
                scope = self.names.instance_of(leaf)
                yield from self._set_later(node)
                yield from self._of_object(at, scope, spent=spent) if scope else self._of_call(at, node)
            case cst.List() | cst.Tuple() | cst.Set() | cst.Dict():
                parts = (element for element in node.elements if type(element.value) not in _NUMBERS)
                yield from (at.of(element.value) for element in parts if not self._is_used_up(at, element))
            case cst.BinaryOperation():
                yield from (at.of(side) for side in (node.left, node.right))
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp():
                yield self.names.containers.inside(at, node, node.elt)
            case cst.DictComp():
                yield self.names.containers.inside(at, node, node.value)

    def _of_object(self, call: Expression, scope: Scope, *, spent: bool) -> Iterator[Expression]:
        """What a fresh object of this project's class keeps on itself."""
        if self.names.chooses_state(scope):
            return
        for one in (scope, *self.names.bases(scope)):
            for bindings in one.attributes.values():
                for binding in lasting(bindings):
                    is_kept = (spent or not self.takes_apart(binding)) and self._is_run(scope, binding)
                    kept = self._kept(call, binding) if is_kept else None
                    if kept is not None:
                        yield kept
        if any(name.startswith(KEEPERS) for name in self.names.base_names(scope)):
            yield from self._passed_on(call, scope)

    def _is_run(self, scope: Scope, binding: Binding) -> bool:
        """Whether what sets an attribute is `__init__`, or a method that is called by its name: here, or by its class.

        A method that nobody is seen to call, such as `add_filter`, has put nothing on a fresh object.
        """
        function = binding.spot.scope.function
        if function is None or function.owner is None or function.name in ("__init__", "__post_init__", "__new__"):
            return True
        return function.name in self._called_here or function.name in self._called_by(scope)

    def _called_by(self, scope: Scope) -> set[str]:
        """What the methods of a class and its bases call, by the last names."""
        if scope not in self._calls:
            methods = (method for one in (scope, *self.names.bases(scope)) for method in one.methods())
            self._calls[scope] = {name for method in methods for name in self.names.called_in(method)}
        return self._calls[scope]

    @cached_property
    def _iterated(self) -> set[int]:
        """What loops go through: an object that is made there, `for x in Items(...)`, goes to no loader."""
        return {id(loop.node) for loop in self.names.file.loops}

    @cached_property
    def _called_here(self) -> set[str]:
        return {last_name(call.node) for call in self.names.file.calls}

    def _set_later(self, node: cst.Call) -> list[Expression]:
        """What `dataset.transform = value` and `dataset.set_transform(value)` put on an object from outside."""
        if self._outer is None:
            self._outer = {}
            for target, value in self.names.file.outer:
                base = target.of(target.node.value) if isinstance(target.node, cst.Attribute) else target
                for leaf in self.names.sources(base):
                    if isinstance(leaf, Literal) and _same_function(leaf.expression, target):
                        self._outer.setdefault(id(leaf.node), []).append(value)
        return self._outer.get(id(node), [])

    def _kept(self, call: Expression, binding: Binding) -> Expression | None:
        """What `self.x = value` keeps for this very object, where value is a parameter or chosen by one."""
        chosen = self.chosen(CallSite(call, bound=True), binding)
        if chosen is not None:
            return chosen
        parameter = self.parameter_of(binding)
        if parameter is not None or binding.value is None:
            return self.names.calls.given(CallSite(call, bound=True), parameter) if parameter else None
        init = binding.spot.scope.function
        return binding.value.within(self.names.calls.frame(init, call)) if init is not None else binding.value

    def chosen(self, site: CallSite, binding: Binding) -> Expression | None:
        """What `self.x = value or default` keeps at one call of `__init__`, where that tells which it is."""
        one = choice(binding.value) if binding.value is not None and not binding.path else None
        given = self.names.calls.given(site, one.parameter) if one is not None else None
        if one is None or given is None:
            return None
        is_none = [leaf == Imported("builtins.None") for leaf in self.names.sources(given)]
        if all(is_none):
            init = one.default.spot.scope.function
            return one.default.within(self.names.calls.frame(init, site.call)) if init is not None else one.default
        return None if any(is_none) else given

    def parameter_of(self, binding: Binding) -> Parameter | None:
        """The parameter of `__init__` that `self.x = value` keeps as it is, if it is one."""
        value = binding.value
        if value is None or binding.path or not isinstance(value.node, cst.Name):
            return None
        scope, bindings = value.spot.scope.find(value.node.value)
        if scope.name != "__init__" or any(b.how is not How.PARAMETER for b in bindings):
            return None
        return next((p for p in scope.parameters if p.name == value.node.value), None)

    def given(self, scope: Scope, binding: Binding) -> list[Expression]:
        """What an attribute is set to; for a parameter of `__init__`, what each call gives for it."""
        value, parameter = binding.value, self.parameter_of(binding)
        init = self.names.method(scope, "__init__")
        sites = self.names.calls.sites(init) if init is not None else []
        if value is None:
            return []
        if parameter is None:
            return list(dict.fromkeys(self.chosen(site, binding) or value for site in sites)) or [value]
        lasting_ones = [site for site in sites if id(site.call.node) not in self._iterated]
        given = [self.names.calls.given(site, parameter) for site in lasting_ones] if sites else [parameter.default]
        return [argument for argument in given if argument is not None]

    def _passed_on(self, call: Expression, scope: Scope) -> Iterator[Expression]:
        """The arguments that an inherited `__init__` of somebody else's class gets."""
        if self.names.method(scope, "__init__") is None:
            yield from self._of_arguments(call)
        yield from self.passed_to_library(scope)

    def passed_to_library(self, scope: Scope) -> Iterator[Expression]:
        """What a subclass of a library's dataset or transform gives to the inherited `__init__`."""
        if any(name.startswith(KEEPERS) for name in self.names.base_names(scope)):
            for inner in self.arguments.super_calls(scope):
                yield from self._of_arguments(inner)

    def _of_arguments(self, call: Expression) -> Iterator[Expression]:
        for arg in call.node.args if isinstance(call.node, cst.Call) else ():
            if arg.keyword is None or arg.keyword.value not in NOT_KEPT:
                yield call.of(arg.value)

    def _of_call(self, call: Expression, node: cst.Call) -> Iterator[Expression]:
        """What the result of somebody else's function or class keeps of its arguments."""
        names = [target.name for target in self.arguments.targets(call)]
        if any(name.startswith(KEEPERS) for name in names):
            yield from self._of_arguments(call)
            return
        if self._is_chained(call) or last_name(node) == "with_transform":
            yield from self._of_arguments(call)
            yield call.of(node.func.value) if isinstance(node.func, cst.Attribute) else call
            return
        if any(name.startswith("builtins.") for name in names):
            return
        for arg in node.args if last_name(node)[:1].isupper() else ():
            keyword = arg.keyword.value if arg.keyword is not None else ""
            if _KEPT_BY_NAME.search(keyword) and not _USED_AT_ONCE.search(keyword):
                yield call.of(arg.value)

    def _is_chained(self, call: Expression) -> bool:
        """Whether this is `.map(f)` on a pipeline that keeps its steps."""
        seen: set[int] = set()
        stack = [call]
        while stack:
            current = stack.pop()
            func = current.node.func if isinstance(current.node, cst.Call) else None
            if id(current.node) in seen or not isinstance(func, cst.Attribute):
                continue
            seen.add(id(current.node))
            for leaf in self.names.sources(current.of(func.value)):
                if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Call):
                    if self.names.callee_name(leaf.expression).startswith(_CHAINED):
                        return True
                    stack.append(leaf.expression)
        return False


def _same_function(one: Expression, other: Expression) -> bool:
    """Whether two expressions are run by the same function, so that they speak of the same object."""
    return one.spot.scope.function is other.spot.scope.function
