"""The loaders of a file: where they are made, with how many workers, and who iterates them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from weakref import proxy

import libcst as cst

from flake8_torchloader.module import UNKNOWN, ZERO, Loader, Place, Use, Value
from flake8_torchloader.reading.flow.arguments import ArgumentReader, Arguments
from flake8_torchloader.reading.flow.callbacks import FITS
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import FOREIGN, LOADERS, LoaderKind
from flake8_torchloader.reading.project.elsewhere import Elsewhere
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.start_method import ALL_METHODS, StartMethod

_FIT_VERBS = {
    "fit", "train", "test", "validate", "evaluate", "eval", "predict", "run", "main", "learn", "fit_generator",
    "train_model", "train_epoch", "train_one_epoch", "eval_model", "test_model", "fit_one_cycle", "start", "optimize",
}  # fmt: skip
"""Methods that loop over the loaders which their object was given."""

_HARMLESS = {
    "len", "print", "isinstance", "issubclass", "type", "str", "repr", "id", "hasattr", "getattr", "setattr",
    "vars", "dir", "callable", "append", "add", "insert", "extend", "update", "register", "prepare", "format",
    "setup_dataloaders", "info", "debug", "warning", "dump", "put", "partial", "deepcopy", "copy", "hash",
    "get", "setdefault", "items", "keys", "enumerate", "zip", "iter", "tqdm", "trange", "cycle", "chain", "islice",
    "add_argument", "log", "write", "wraps", "super", "watch", "ceil", "floor", "float", "int", "bool", "round",
}  # fmt: skip
"""Functions that take a loader without iterating it there and then."""

_MOST_WRAPPERS = 200
"""How many expressions are looked at to find the loaders that one holds."""

_WRAPPERS = {"enumerate", "tqdm", "zip", "iter", "cycle", "chain", "list", "prepare", "prepare_data_loader"}
"""Functions whose result gives the batches of the loader they are given."""

_STEPS = {"next", "__next__"}
"""Functions that give one batch of what they are given."""

_MEASURES = {"len", "id", "type", "str", "repr", "isinstance", "hasattr", "getattr", "range"} | _STEPS
"""Functions whose result no longer holds the loader they are given."""


@dataclass(eq=False)
class LoaderCall:
    """A construction of a loader with its arguments, before anybody asks who iterates it.

    `site` is the line of this file that makes it: another file's function may do so when it is called there. It is
    None for one that another file makes when it is imported, and then the first line that iterates it at import.
    """

    call: Expression
    site: Expression | None
    arguments: Arguments
    workers: Value
    methods: frozenset[StartMethod]
    uses: list[Expression] = field(default_factory=list)

    @property
    def has_workers(self) -> bool:
        """Whether the loader may start worker processes."""
        return self.workers.may_be_nonzero

    @property
    def sites(self) -> tuple[Expression, ...]:
        """Its `site`, if it has one."""
        return () if self.site is None else (self.site,)


class LoaderReader:
    """Finds the loaders of one file."""

    def __init__(
        self, names: Names, arguments: ArgumentReader, values: Values, places: Places, *, may_set_method: bool = True
    ) -> None:
        self.names = names
        self.arguments = arguments
        self.values = values
        self.places = places
        self._default = self._default_methods() if may_set_method else ALL_METHODS
        self._known: dict[Expression, LoaderCall | None] = {}
        self._barren: set[Expression] = set()
        """What is known to hold no loader: `x = f(x)`, written a thousand times, asks of each x in turn."""
        self.elsewhere = Elsewhere(names, proxy(self))  # without a cycle, counting references frees both
        made = [loader for call in names.file.calls if (loader := self.loader_call(call)) is not None]
        given = [loader for call in names.file.calls for loader in self.elsewhere.given(call)]
        self.calls = list(dict.fromkeys([*made, *given]))
        for use in self._uses():
            for loader in self._iterated(use):
                self._note_use(loader, use)

    def _note_use(self, loader: LoaderCall, use: Expression) -> None:
        if loader.site is None and Place.IMPORT in self.places.of(use.spot):
            loader.site = use
        if loader.site is not None and loader not in self.calls:
            self.calls.append(loader)
        loader.uses.append(use)

    # --- construction

    def _kind(self, call: Expression) -> LoaderKind | None:
        """How the class that is called takes its arguments, if all that it may be are loaders."""
        if isinstance(call.node, cst.Call) and self.names.callee_name(call) == "functools.partial":
            return None
        kinds = [LOADERS.get(target.name) for target in self.arguments.targets(call)]
        known = [kind for kind in kinds if kind is not None]
        return None if not known or self._may_be_foreign(call) else known[0]

    def _may_be_foreign(self, call: Expression) -> bool:
        """Whether a conditional import gives a class of the same name of another framework."""
        packages = {leaf.name.split(".")[0] for leaf in self.names.callee(call) if isinstance(leaf, Imported)}
        return not packages.isdisjoint(FOREIGN)

    def loader_call(self, call: Expression) -> LoaderCall | None:
        """A call as the construction of a loader, if it is one, in this file or in another."""
        if call not in self._known:
            self._known[call] = self._read_call(call)
        return self._known[call]

    def _read_call(self, call: Expression) -> LoaderCall | None:
        kind, site = self._kind(call), self.names.own(call)
        if kind is None or self._is_super(call):
            return None
        arguments = self.arguments.read(call, kind.signature)
        for partial in self.arguments.partials(call):
            arguments = _merge(arguments, self._partial(partial, kind))
        workers, methods = self._workers(arguments, kind), self._methods(arguments, self._default)
        return LoaderCall(call, site, arguments, workers, methods)

    @staticmethod
    def _is_super(call: Expression) -> bool:
        func = call.node.func if isinstance(call.node, cst.Call) else None
        return isinstance(func, cst.Attribute) and func.attr.value == "__init__"

    def _partial(self, call: Expression, kind: LoaderKind) -> Arguments:
        is_init = self._is_super(call)
        return self.arguments.read(call, kind.signature if is_init else ("", *kind.signature))

    def _workers(self, arguments: Arguments, kind: LoaderKind) -> Value:
        given = arguments.of("num_workers")
        if not given and arguments.is_open:
            return UNKNOWN
        if not given:
            return Value((kind.default_workers,), complete=True) if kind.default_workers else ZERO
        value = self.values.union(given)
        return value if value.may_be_nonzero else ZERO

    # --- start methods

    def _methods(self, arguments: Arguments, default: frozenset[StartMethod]) -> frozenset[StartMethod]:
        given = arguments.of("multiprocessing_context")
        if not given:
            return default
        chosen: set[StartMethod] = set()
        for expression in given:
            for leaf in self.names.sources(expression):
                if _is_none(leaf):
                    continue
                method = self._method(leaf)
                if method is None:
                    return default
                chosen.add(method)
        return frozenset(chosen) or default

    def _method(self, leaf: Leaf) -> StartMethod | None:
        """The start method that `"fork"` or `get_context("fork")` names."""
        if not isinstance(leaf, Literal):
            return None
        node, at = leaf.node, leaf.expression
        if isinstance(node, cst.Call) and node.args and last_name(node) == "get_context":
            at = at.of(node.args[0].value)
        text = self.values.value(at).only
        return next((method for method in StartMethod if method.value == text), None)

    def _default_methods(self) -> frozenset[StartMethod]:
        """Only fork where the program insists on it, unconditionally; otherwise whatever Python does."""
        for call in self.names.file.calls:
            node = call.node
            if not isinstance(node, cst.Call) or not node.args:
                continue
            if not self.names.callee_name(call).endswith("set_start_method") or not self.places.of(call.spot):
                continue
            if call.spot.block.is_certain and self.values.value(call.of(node.args[0].value)).only == "fork":
                return frozenset({StartMethod.FORK})
        return ALL_METHODS

    # --- iteration

    def loaders_in(self, expression: Expression) -> list[LoaderCall]:
        """The loaders that an expression may be, or wraps: `enumerate(loader)`, `tqdm(loader)`."""
        found: list[LoaderCall] = []
        stack, seen = [expression], {expression}
        looked_at: set[Expression] = set()
        while stack and len(looked_at) < _MOST_WRAPPERS:
            for leaf in self.names.sources(stack.pop()):
                if not isinstance(leaf, Literal) or leaf.expression in looked_at or leaf.expression in self._barren:
                    continue
                looked_at.add(leaf.expression)
                loader = self.loader_call(leaf.expression)
                found += self.elsewhere.inside(leaf) if loader is None else [loader]
                inner = self._wrapped(leaf) if loader is None else []
                stack += [e for e in inner if e not in seen]
                seen.update(inner)
        if not found:
            self._barren |= {expression} if stack else looked_at
        return list(dict.fromkeys(found))

    def _wrapped(self, leaf: Literal) -> list[Expression]:
        """What a call may wrap; another file's is taken to do so only if its name says it."""
        node, at = leaf.node, leaf.expression
        if not isinstance(node, cst.Call) or self.names.instance_of(leaf) is not None or last_name(node) in _MEASURES:
            return []
        if self.names.own(at) is not at and last_name(node) not in _WRAPPERS and not last_name(node).endswith("tqdm"):
            return []
        base = [at.of(node.func.value)] if isinstance(node.func, cst.Attribute) else []
        return [*base, *(at.of(arg.value) for arg in node.args)]

    def _iterated(self, use: Expression) -> list[LoaderCall]:
        if isinstance(use.node, cst.Call) and self.elsewhere.functions(use):
            return self.elsewhere.iterated(use)
        found = self.gone_through(use)
        for hook, frame in self.places.callbacks.loader_hooks(use) if isinstance(use.node, cst.Call) else ():
            found += [loader for returned in hook.returns for loader in self.loaders_in(returned.within(frame))]
        return found

    def gone_through(self, use: Expression) -> list[LoaderCall]:
        """The loaders that a loop or a call iterates: `next(x)` goes on with x, and is no loader itself."""
        node = use.node
        if not isinstance(node, cst.Call) or last_name(node) not in _STEPS:
            return self.loaders_in(use)
        base = [node.func.value] if isinstance(node.func, cst.Attribute) else [arg.value for arg in node.args[:1]]
        return [loader for inner in base for loader in self.loaders_in(use.of(inner))]

    def _uses(self) -> Iterator[Expression]:
        """The expressions that iterate what they hold, if that may be a loader with workers."""
        has_workers = any(loader.has_workers for loader in self.calls)
        for loop in self.names.file.loops:
            if has_workers or (self.names.imports is not None and Place.IMPORT in self.places.of(loop.spot)):
                yield loop
        for call in self.names.file.calls:
            if self.elsewhere.functions(call):
                yield from [call] if Place.IMPORT in self.places.of(call.spot) else []
            elif (has_workers or self._asks_others(call)) and self.loader_call(call) is None and self.iterates(call):
                yield call

    def _asks_others(self, call: Expression) -> bool:
        """Whether a call may go through the loaders of another file's object, when this file is imported."""
        func = call.node.func if isinstance(call.node, cst.Call) and self.names.imports is not None else None
        return isinstance(func, cst.Attribute) and func.attr.value in FITS and Place.IMPORT in self.places.of(call.spot)

    def iterates(self, call: Expression) -> bool:
        """Whether a call iterates what it is given, as far as its name tells."""
        node = call.node
        if not isinstance(node, cst.Call) or any(isinstance(leaf, Defined) for leaf in self.names.callee(call)):
            return False
        func, last = node.func, last_name(node)
        if last in ("iter", "list", "tuple", "sum", "next", "set", "sorted", "max", "min", "__iter__", "_get_iterator"):
            return True
        if isinstance(func, cst.Attribute) and last in _FIT_VERBS:
            return True
        return bool(node.args) and last not in _HARMLESS and not last[:1].isupper()

    # --- records

    def name(self, loader: LoaderCall) -> str:
        """What a message calls a loader: the variable that it goes to, else its class or the function that gives it."""
        site = loader.site or loader.call
        own = self.names.file.names.get(id(site.node))
        made = last_name(site.node)
        return own or self.names.name_elsewhere(loader.call) or (last_name(loader.call.node) if made in FITS else made)

    def records(self) -> Iterator[Loader]:
        """The records of the loaders, with the uses that run somewhere known; one for each line of this file."""
        by_site: dict[Expression, list[LoaderCall]] = {}
        for loader in self.calls:
            if loader.site is not None:
                by_site.setdefault(loader.site, []).append(loader)
        for site, loaders in by_site.items():
            first = max(loaders, key=lambda loader: loader.has_workers)
            uses = dict.fromkeys(use for loader in loaders if loader.has_workers for use in loader.uses)
            known = (Use(use, self.places.of(use.spot)) for use in uses)
            yield Loader(
                site=site,
                name=self.name(first),
                workers=first.workers,
                places=self.places.of(site.spot),
                uses=tuple(use for use in known if use.places),
                methods=first.methods,
            )


def _is_none(leaf: Leaf) -> bool:
    """`"fork" if workers else None` is fork wherever it matters."""
    return leaf == Imported("builtins.None")


def _merge(own: Arguments, other: Arguments) -> Arguments:
    """A call's own arguments win over those that a `partial` gave before."""
    return Arguments({**other.given, **own.given}, own.is_open)
