"""The loaders of a file with their arguments, read exactly: what can't be told for certain is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from flake8_torchloader.construction import Argument, Construction, Kind
from flake8_torchloader.module import UNKNOWN, Basis, Value
from flake8_torchloader.reading.arguments import ArgumentReader
from flake8_torchloader.reading.guards import last_name
from flake8_torchloader.reading.known import ITERABLES, LOADERS, PIPES, UNSIZED, LoaderKind
from flake8_torchloader.reading.leaves import Defined, Element, Imported, Leaf, Literal, Object
from flake8_torchloader.reading.loaders import LoaderReader
from flake8_torchloader.reading.names import Names
from flake8_torchloader.reading.scopes import Expression, Running, Scope, ScopeKind
from flake8_torchloader.reading.values import Values

_DISPLAYS = (cst.List, cst.Tuple, cst.Set, cst.Dict, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_REMOVERS = {"pop", "popitem", "clear", "setdefault"}
"""Methods after which a mapping can't be told by what was put into it."""

_MODULES = {"multiprocessing", "torch.multiprocessing"}


@dataclass
class _Given:
    """The arguments of a call as they are read; `is_open` if there may be others."""

    by_name: dict[str, Expression] = field(default_factory=dict)
    is_open: bool = False


class ConstructionReader:
    """Reads the calls that make a loader of torch's own, or of a class that hands its arguments on to it."""

    def __init__(self, names: Names, arguments: ArgumentReader, values: Values, loaders: LoaderReader) -> None:
        self.names = names
        self.arguments = arguments
        self.values = values
        self.loaders = loaders
        self._changed: set[str] | None = None
        self._are_options_kept: bool | None = None
        self._later: dict[int, list[tuple[str, Expression]]] | None = None

    def read(self) -> Iterator[Construction]:
        """Every construction that is run at all, and whose failure nobody waits for."""
        for loader in self.loaders.calls:
            kind = self._kind(loader.call)
            is_expected = id(loader.call.node) in self.names.file.awaited
            if kind is not None and not is_expected and loader.call.spot.running is not Running.NEVER:
                yield self._construction(loader.call, kind)

    def _construction(self, call: Expression, kind: LoaderKind) -> Construction:
        given = self._given(call, kind)
        datasets = [given.by_name[name] for name in ("dataset",) if name in given.by_name]
        return Construction(
            site=call,
            name=self.names.file.names.get(id(call.node)) or last_name(call.node),
            given={name: self._argument(expression) for name, expression in given.by_name.items()},
            is_open=given.is_open,
            dataset=self._dataset_kind(datasets[0]) if datasets else Kind.UNKNOWN,
            set_later=tuple(self._set_later(call)),
        )

    def _kind(self, call: Expression) -> LoaderKind | None:
        """How the class that is called takes its arguments, if all that it may be leave them to torch."""
        for leaf in self.names.callee(call):
            scopes = (leaf.scope, *self.names.bases(leaf.scope)) if isinstance(leaf, Defined) else ()
            if any(scope.method(name) for scope in scopes for name in ("__init__", "__new__", "__setattr__")):
                return None
        targets = [LOADERS.get(target.name) for target in self.arguments.targets(call)]
        kinds = [kind for kind in targets if kind is not None and kind.is_plain]
        is_certain = len(targets) == len(kinds) == len(self.names.callee(call))
        return kinds[0] if kinds and is_certain and len(set(kinds)) == 1 else None

    # --- arguments

    def _given(self, call: Expression, kind: LoaderKind) -> _Given:
        given = _Given()
        for partial in self.arguments.partials(call):
            self._add(given, partial, ("", *kind.signature))
        self._add(given, call, kind.signature)
        return given

    def _add(self, given: _Given, call: Expression, signature: tuple[str, ...]) -> None:
        positions = iter(signature)
        for arg in call.node.args if isinstance(call.node, cst.Call) else ():
            at = call.of(arg.value)
            if arg.star == "**":
                items = self._mapping(at)
                given.by_name |= items or {}
                given.is_open |= items is None
            elif arg.star:
                given.is_open, positions = True, iter(())
            elif arg.keyword is not None:
                given.by_name[arg.keyword.value] = at
            elif name := next(positions, ""):
                given.by_name[name] = at

    def _mapping(self, mapping: Expression) -> dict[str, Expression] | None:
        """What a `**mapping` gives, or None where that isn't known to the last key."""
        leaves = self.names.sources(mapping)
        literals = [leaf for leaf in leaves if not isinstance(leaf, Element)]
        base = literals[0] if len(literals) == 1 else None
        if not isinstance(base, Literal) or last_name(mapping.node) in self._changed_mappings():
            return None
        items = self._items(base)
        if items is None:
            return None
        for leaf in leaves:
            key = self._written(leaf.expression, mapping) if isinstance(leaf, Element) else ""
            if key is None:
                return None
            if key and isinstance(leaf, Element):
                items[key] = leaf.expression
        return items

    def _items(self, leaf: Literal) -> dict[str, Expression] | None:
        """The items of `{...}` or `dict(...)`."""
        node, at = leaf.node, leaf.expression
        found: dict[str, Expression] = {}
        if isinstance(node, cst.Dict):
            for element in node.elements:
                inner = self._mapping(at.of(element.value)) if isinstance(element, cst.StarredDictElement) else {}
                if isinstance(element, cst.DictElement):
                    if not isinstance(element.key, cst.SimpleString):
                        return None
                    found[str(element.key.evaluated_value)] = at.of(element.value)
                if inner is None:
                    return None
                found |= inner
            return found
        if not isinstance(node, cst.Call) or self.names.callee_name(at) != "builtins.dict":
            return None
        for arg in node.args:
            inner = {} if arg.keyword is not None else self._mapping(at.of(arg.value))
            if inner is None:
                return None
            found |= inner
            if arg.keyword is not None:
                found[arg.keyword.value] = at.of(arg.value)
        return found

    def _written(self, value: Expression, mapping: Expression) -> str | None:
        """The key under which `mapping["key"] = value` surely put a value; None where it is not sure."""
        for target, written in self.names.file.writes:
            if written is value and isinstance(target.node, cst.Subscript):
                index = target.node.slice[0].slice
                is_sure = value.spot.block.encloses(mapping.spot.block) and value.spot.order < mapping.spot.order
                if is_sure and isinstance(index, cst.Index) and isinstance(index.value, cst.SimpleString):
                    return str(index.value.evaluated_value)
                return None
        return None

    def _changed_mappings(self) -> set[str]:
        """The names of what something is taken out of."""
        if self._changed is None:
            funcs = (call.node.func for call in self.names.file.calls if isinstance(call.node, cst.Call))
            removers = (f for f in funcs if isinstance(f, cst.Attribute) and f.attr.value in _REMOVERS)
            self._changed = {last_name(func.value) for func in removers} | self.names.file.emptied
        return self._changed - {""}

    def _argument(self, expression: Expression) -> Argument:
        leaves = [leaf for leaf in self.names.sources(expression) if not isinstance(leaf, Element)]
        is_object = bool(leaves) and all(self._is_object(leaf) for leaf in leaves)
        return Argument(self._value(expression), expression, is_object)

    def _value(self, expression: Expression) -> Value:
        """The constants of an argument; of an option only numbers, for a parser makes something else of a text."""
        value = self.values.value(expression)
        if value.basis is not Basis.OPTION:
            return value
        are_numbers = all(isinstance(constant, (bool, int, float)) for constant in value.constants)
        return value if are_numbers and self._keeps_options() else UNKNOWN

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
