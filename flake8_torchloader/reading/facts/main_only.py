"""What only the main program has, though code that runs in workers needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from flake8_torchloader.main_program import Lack, MainOnly
from flake8_torchloader.module import Place
from flake8_torchloader.reading.facts.datasets import SENT, DatasetReader
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.leaves import Defined, Leaf
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Running, Scope, ScopeKind
from flake8_torchloader.reading.tree.walk import children
from flake8_torchloader.start_method import PICKLING_METHODS


@dataclass(frozen=True, slots=True)
class Global:
    """A global name: where the main program alone sets it, and where every process that imports the file does."""

    parents: tuple[Binding, ...]
    everybodys: tuple[Binding, ...]


@dataclass(eq=False)
class Reads:
    """The names that a function reads from outside, each where it is first read."""

    names: dict[str, Expression] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


class MainOnlyReader:
    """Finds what the workers of one file's loaders lack."""

    def __init__(self, names: Names, loaders: LoaderReader, datasets: DatasetReader, places: Places) -> None:
        self.names = names
        self.file: Collector = names.file
        self.loaders = loaders
        self.datasets = datasets
        self.places = places
        self._reads: dict[Scope, Mapping[str, Expression]] = {}

    def read(self) -> Iterator[MainOnly]:
        """Each global once, however many loaders need it."""
        globals_ = dict(self._globals())
        seen: set[str] = set()
        for loader in self.loaders.calls if globals_ else ():
            if loader.has_workers and loader.methods & PICKLING_METHODS:
                for found in self._lacking(loader, globals_):
                    if found.name not in seen:
                        seen.add(found.name)
                        yield found

    def _lacking(self, loader: LoaderCall, globals_: Mapping[str, Global]) -> Iterator[MainOnly]:
        leaves = [
            leaf
            for slot in SENT
            for argument in loader.arguments.of(slot)
            for leaf, _ in self.datasets.contents.of(argument)
        ]
        for scope in filter(self.names.is_own, filter(None, map(self._sent_by_name, leaves))):
            one = globals_.get(scope.name)
            if one is not None and not one.everybodys and one.parents[-1].target is scope:
                yield self._record(scope.name, one, loader, None, "")
        roots = (function for leaf in leaves for function in self.datasets.functions_of(leaf))
        for function in sorted(filter(self._is_everywhere, self.places.below(roots)), key=_order):
            for name, at in self._read_by(function).items():
                one = globals_.get(name)
                if one is not None:
                    yield self._record(name, one, loader, at, function.name)

    def _is_everywhere(self, function: Scope) -> bool:
        """Whether a function of this file is there in every process: one that is not has no chance to read anything."""
        outermost = [scope.spot.running for scope in function.around() if scope.spot is not None]
        return self.names.is_own(function) and Running.GUARDED not in outermost

    def _sent_by_name(self, leaf: Leaf) -> Scope | None:
        """The function or class of this file that a worker looks up by its name."""
        return leaf.scope if isinstance(leaf, Defined) else self.names.instance_of(leaf)

    def _record(self, name: str, one: Global, loader: LoaderCall, at: Expression | None, reader: str) -> MainOnly:
        first = one.parents[0]
        lack = Lack.DEFINITION if at is None else Lack.VALUE if one.everybodys else Lack.NAME
        return MainOnly(
            site=_site(first) or at or loader.site,
            name=name,
            lack=lack,
            reader=reader,
            read=at,
            methods=loader.methods & PICKLING_METHODS,
            loaders=loader.sites,
        )

    # --- globals

    def _globals(self) -> Iterator[tuple[str, Global]]:
        """The globals that the main program sets, as long as it is known who else does."""
        for name, bindings in self.file.scope.bindings.items():
            whose = [self._whose(binding) for binding in bindings]
            if Place.GUARDED not in whose or None in whose:
                continue
            everybodys = tuple(b for b, place in zip(bindings, whose) if place is Place.IMPORT)
            known = {_meaning(binding) for binding in everybodys} - {None}
            own = (binding for binding, place in zip(bindings, whose) if place is Place.GUARDED)
            parents = tuple(binding for binding in own if _meaning(binding) not in known)
            if parents:
                yield name, Global(parents, everybodys)

    def _whose(self, binding: Binding) -> Place | None:
        """GUARDED if the main program alone sets it, IMPORT if all processes do, None if that isn't known."""
        places = self.places.of(binding.spot)
        if Place.IMPORT in places:
            return Place.IMPORT
        return Place.GUARDED if Place.GUARDED in places and Place.WORKER not in places else None

    # --- reads

    def _read_by(self, function: Scope) -> Mapping[str, Expression]:
        """The globals that the body of a function reads, each where that is first done."""
        if function not in self._reads:
            reads = Reads()
            body = getattr(function.node, "body", None)
            if isinstance(body, cst.CSTNode) and function.spot is not None:
                self._own(function, reads)
                self._walk(Expression(body, function.spot), reads)
            closed = {n for scope in function.around() if scope.kind is ScopeKind.FUNCTION for n in _bound(scope)}
            free = {n: at for n, at in reads.names.items() if n not in reads.own | closed}
            self._reads[function] = free
        return self._reads[function]

    def _own(self, scope: Scope, reads: Reads) -> None:
        """Note the names that a scope and the functions inside it bind: these are none of the file's."""
        reads.own |= _bound(scope)
        for bindings in scope.bindings.values():
            for binding in bindings:
                if binding.how is How.DEFINITION and binding.target is not None and binding.target is not scope:
                    self._own(binding.target, reads)

    def _walk(self, start: Expression, reads: Reads) -> None:
        stack: list[cst.CSTNode] = [start.node]
        while stack:
            node = stack.pop()
            inner = self.file.by_node.get(id(node))
            if inner is not None:
                reads.own |= _bound(inner)
            match node:
                case cst.Name(value=name):
                    reads.names.setdefault(name, start.of(node))
                case cst.AsName(name=cst.Name(value=name)) | cst.MatchAs(name=cst.Name(value=name)):
                    reads.own.add(name)
                case cst.Attribute(value=base):
                    stack.append(base)
                case cst.Arg(value=value):
                    stack.append(value)
                case _:
                    stack.extend(reversed(children(node)))


def _bound(scope: Scope) -> set[str]:
    """The names that a scope binds itself: to put something into `x` binds no `x`."""
    bound = {name for name, all_of in scope.bindings.items() if any(b.how is not How.ADDED for b in all_of)}
    return bound - scope.outer_names


def _order(function: Scope) -> int:
    return function.spot.order if function.spot is not None else 0


def _site(binding: Binding) -> Expression | None:
    """Where a name is set: at the value, or at the function or class that bears it."""
    if binding.how is How.DEFINITION and binding.target is not None:
        return Expression(binding.target.node, binding.spot)
    return binding.value


def _meaning(binding: Binding) -> str | None:
    """What a name is set to, if that can be compared: an import, or the text of an expression."""
    if binding.how is How.IMPORT:
        return binding.name
    if binding.how is not How.VALUE or binding.path or binding.value is None:
        return None
    try:
        return cst.Module([]).code_for_node(binding.value.node)
    except RecursionError:  # a condition of hundreds of parts
        return None
