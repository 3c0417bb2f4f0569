"""The loaders of a file with their arguments, read exactly: what can't be told for certain is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import libcst as cst

from flake8_torchloader.construction import Argument, Construction, Kind
from flake8_torchloader.module import UNKNOWN, Basis, Value
from flake8_torchloader.reading.facts.datasets import DatasetReader
from flake8_torchloader.reading.facts.loaders import LoaderReader
from flake8_torchloader.reading.flow.exact import ExactReader
from flake8_torchloader.reading.flow.leaves import Defined, Element, Imported, Leaf, Literal, Object
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import (
    CPU_COUNTERS,
    ITEM_READERS,
    ITERABLES,
    LOADERS,
    ON_DISK,
    PIPES,
    UNSIZED,
    LoaderKind,
)
from flake8_torchloader.reading.tree.guards import dotted, last_name
from flake8_torchloader.reading.tree.scopes import Expression, Running, Scope, ScopeKind
from flake8_torchloader.reading.tree.walk import below

_DISPLAYS = (cst.List, cst.Tuple, cst.Set, cst.Dict, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_TESTS = {cst.If, cst.Assert, cst.While}
_MOST = 200
"""How many functions are looked at for what reads a file."""

_MODULES = {"multiprocessing", "torch.multiprocessing"}


class ConstructionReader:
    """Reads the calls that make a loader of torch's own, or of a class that hands its arguments on to it."""

    def __init__(
        self, names: Names, exact: ExactReader, values: Values, loaders: LoaderReader, datasets: DatasetReader
    ) -> None:
        self.names = names
        self.exact = exact
        self.values = values
        self.loaders = loaders
        self.datasets = datasets
        self._are_options_kept: bool | None = None
        self._readers: dict[Scope, str] = {}
        self._tested: dict[Scope, set[str]] = {}
        self._later: dict[int, list[tuple[str, Expression]]] | None = None

    def read(self) -> Iterator[Construction]:
        """Every construction that is run at all, and whose failure nobody waits for."""
        for loader in self.loaders.calls:
            kind = self._kind(loader.call) if loader.site is loader.call else None
            is_expected = id(loader.call.node) in self.names.file.awaited
            if kind is not None and not is_expected and loader.call.spot.running is not Running.NEVER:
                yield self._construction(loader.call, kind)

    def _construction(self, call: Expression, kind: LoaderKind) -> Construction:
        given = self.exact.read(call, kind.signature)
        dataset, workers = given.by_name.get("dataset"), given.by_name.get("num_workers")
        return Construction(
            site=call,
            name=self.names.file.names.get(id(call.node)) or last_name(call.node),
            given={name: self._argument(expression) for name, expression in given.by_name.items()},
            is_open=given.is_open,
            dataset=self._dataset_kind(dataset) if dataset is not None else Kind.UNKNOWN,
            set_later=tuple(self._set_later(call)),
            reads_by=self._reads_by(dataset) if dataset is not None and workers is None else "",
            exceeds_cpus=workers is not None and self._exceeds_cpus(workers),
        )

    def _kind(self, call: Expression) -> LoaderKind | None:
        """How the class that is called takes its arguments, if all that it may be leave them to torch."""
        for leaf in self.names.callee(call):
            scopes = (leaf.scope, *self.names.bases(leaf.scope)) if isinstance(leaf, Defined) else ()
            if any(scope.method(name) for scope in scopes for name in ("__init__", "__new__", "__setattr__")):
                return None
        targets = [LOADERS.get(target.name) for target in self.exact.arguments.targets(call)]
        kinds = [kind for kind in targets if kind is not None and kind.is_plain]
        is_certain = len(targets) == len(kinds) == len(self.names.callee(call))
        return kinds[0] if kinds and is_certain and len(set(kinds)) == 1 else None

    # --- arguments

    def _argument(self, expression: Expression) -> Argument:
        leaves = [leaf for leaf in self.names.sources(expression) if not isinstance(leaf, Element)]
        is_object = bool(leaves) and all(self._is_object(leaf) for leaf in leaves)
        return Argument(self._value(expression), expression, is_object)

    def _value(self, expression: Expression) -> Value:
        """The constants of an argument; of an option only numbers, for a parser makes something else of a text.

        An attribute of any other object may be set anywhere, and what a test asks about may be known on this path.
        """
        value = self.values.value(expression)
        is_attribute = isinstance(expression.node, cst.Attribute)
        if value.complete and (is_attribute or isinstance(expression.node, cst.Name)) and self._is_tested(expression):
            return UNKNOWN
        if value.basis is Basis.OPTION:
            are_numbers = all(isinstance(constant, (bool, int, float)) for constant in value.constants)
            return value if are_numbers and self._keeps_options() else UNKNOWN
        return UNKNOWN if is_attribute else value

    def _is_tested(self, expression: Expression) -> bool:
        """Whether a test in the same function asks about a name, or an assertion does."""
        home = expression.spot.scope.function or expression.spot.scope.module
        if home not in self._tested:
            tests = (node.test for node in below(home.node) if _is_test(node))
            self._tested[home] = {dotted(part) for test in tests for part in below(test)}
        return dotted(expression.node) in self._tested[home]

    def _keeps_options(self) -> bool:
        """Whether nothing is seen to replace the defaults of options from elsewhere."""
        if self._are_options_kept is None:
            self._are_options_kept = not any(map(self._replaces_options, self.names.file.calls))
        return self._are_options_kept

    def _replaces_options(self, call: Expression) -> bool:
        """`parser.set_defaults(...)`, `setattr(args, ...)`, `vars(args).update(...)`, `args.__dict__.update(...)`."""
        node = call.node
        if last_name(node) in ("set_defaults", "setattr"):
            return True
        base = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else None
        return base is not None and last_name(node) == "update" and last_name(base) in ("vars", "__dict__")

    def _is_object(self, leaf: Leaf) -> bool:
        """Whether a leaf is surely an object, which is neither None nor a number."""
        if isinstance(leaf, (Object, Defined)) or self.names.instance_of(leaf) is not None:
            return True
        if isinstance(leaf, Imported):
            return leaf.name in _MODULES
        if not isinstance(leaf, Literal):
            return False
        node = leaf.node
        if isinstance(node, cst.Call):
            names = [target.name for target in self.names.callee(leaf.expression) if isinstance(target, Imported)]
            is_class = bool(names) and all(name.rpartition(".")[2][:1].isupper() for name in names)
            return is_class or names in (["builtins.range"], ["builtins.list"]) or last_name(node) == "get_context"
        return isinstance(node, _DISPLAYS)

    # --- the dataset

    def _dataset_kind(self, dataset: Expression) -> Kind:
        kinds = {self._kind_of(leaf) for leaf in self.names.sources(dataset) if not isinstance(leaf, Element)}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN

    def _kind_of(self, leaf: Leaf) -> Kind:
        scope = self.names.instance_of(leaf)
        callee = self.names.callee(leaf.expression) if isinstance(leaf, Literal) else []
        names = [target.name for target in callee if isinstance(target, Imported)]
        if scope is not None:
            names = self.names.base_names(scope)
        if any(name in PIPES for name in names):
            return Kind.PIPE
        if any(name in ITERABLES for name in names):
            return Kind.ITERABLE
        return Kind.UNSIZED if scope is not None and self._is_unsized(scope) else Kind.UNKNOWN

    def _is_unsized(self, scope: Scope) -> bool:
        """Whether a dataset has no length, as far as all its bases are known."""
        family = (scope, *self.names.bases(scope))
        for one in family:
            node = one.node
            has_length = "__len__" in one.bindings or "__getattr__" in one.bindings
            is_plain = isinstance(node, cst.ClassDef) and not node.keywords and not one.decorators
            if has_length or not is_plain or one.kind is not ScopeKind.CLASS:
                return False
        leaves = [leaf for one in family for base in one.bases for leaf in self.names.sources(base)]
        known = all(isinstance(leaf, Defined) or isinstance(leaf, Imported) and leaf.name in UNSIZED for leaf in leaves)
        return bool(leaves) and known

    def _reads_by(self, dataset: Expression) -> str:
        """The function by which a dataset, or one that it holds, reads a file for each item."""
        for leaf, _ in self.datasets.contents.of(dataset):
            scope = self.names.instance_of(leaf)
            callee = self.names.callee_name(leaf.expression) if isinstance(leaf, Literal) else ""
            if callee in ON_DISK:
                return callee.rpartition(".")[2]
            if scope is not None and scope not in self._readers:
                self._readers[scope] = self._reads_in(scope)
            if scope is not None and self._readers[scope]:
                return self._readers[scope]
        return ""

    def _reads_in(self, scope: Scope) -> str:
        """The function by which the worker code of a dataset class reads files, itself or through what it calls."""
        queue, seen = sorted(self.datasets.worker_functions(scope), key=_order), set[Scope]()
        while queue and len(seen) < _MOST:
            function = queue.pop(0)
            if function in seen:
                continue
            seen.add(function)
            for call in self.names.calls_in(function):
                name = self.names.callee_name(call)
                if name in ITEM_READERS or name == "builtins.open":
                    return name.removeprefix("builtins.")
                queue += [target for target, _ in self.names.calls.targets(call)]
        return ""

    # --- the number of workers

    def _exceeds_cpus(self, workers: Expression) -> bool:
        """Whether a number of workers is `os.cpu_count()` times or plus something."""
        leaves = [leaf for leaf in self.names.sources(workers) if isinstance(leaf, Literal)]
        return len(leaves) == 1 and self._is_above(leaves[0].expression)

    def _is_above(self, expression: Expression) -> bool:
        node = expression.node
        if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, (cst.Multiply, cst.Add)):
            return False
        least = 1 if isinstance(node.operator, cst.Multiply) else 0
        sides = (expression.of(node.left), expression.of(node.right))
        numbers = [n for side in sides if isinstance(n := self.values.value(side).only, (int, float)) and n > least]
        return len(numbers) == 1 and any(self._counts_cpus(side) for side in sides)

    def _counts_cpus(self, side: Expression) -> bool:
        return bool(self.names.sources(side)) and all(
            isinstance(leaf, Literal) and self.names.callee_name(leaf.expression) in CPU_COUNTERS
            for leaf in self.names.sources(side)
        )

    # --- afterwards

    def _set_later(self, call: Expression) -> list[tuple[str, Expression]]:
        """What `loader.attribute = value` puts on this loader, and surely on no other thing."""
        if self._later is None:
            self._later = {}
            for target, _ in self.names.file.outer:
                node = target.node
                leaves = self.names.sources(target.of(node.value)) if isinstance(node, cst.Attribute) else []
                only = leaves[0] if len(leaves) == 1 else None
                is_run = target.spot.running is not Running.NEVER
                if isinstance(node, cst.Attribute) and isinstance(only, Literal) and is_run:
                    self._later.setdefault(id(only.node), []).append((node.attr.value, target))
        return self._later.get(id(call.node), [])


def _is_test(node: cst.CSTNode) -> TypeGuard[cst.If | cst.Assert | cst.While]:
    return type(node) in _TESTS


def _order(function: Scope) -> int:
    return function.spot.order if function.spot is not None else 0
