"""The random generators that worker code draws from, and that were made before there was a worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import libcst as cst

from flake8_torchloader.module import Place
from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import (
    GENERATORS,
    OLD_ALBUMENTATIONS,
    OLD_ALBUMENTATIONS_KEYWORDS,
    STEADY_ALBUMENTATIONS,
)
from flake8_torchloader.reading.tree.guards import dotted, last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, Scope
from flake8_torchloader.start_method import ALL_METHODS, StartMethod
from flake8_torchloader.wrong_data import Generator

_RESEEDS = {"seed", "manual_seed", "set_state", "setstate", "set_random_seed", "set_random_state", "set_rng_state"}
_DRAWS_NOTHING = {
    "get_state", "getstate", "get_rng_state", "initial_seed", "spawn", "jumped", "clone_state", "graphsafe_get_state",
    "add_targets", "to_dict",
}  # fmt: skip
_ORDERS = {
    "shuffle", "permutation", "permuted", "randperm", "sample", "choices", "choice", "randint", "integers", "randrange",
}  # fmt: skip
"""What a stream draws to put its items in order: alike in all workers on purpose, or harmless if their items differ."""

_NO_DRAWING = ("builtins.", "copy.", "logging.", "typing.")
_FORK = frozenset({StartMethod.FORK})


class GeneratorReader:
    """Finds the generators of one file that every worker gets a copy of."""

    def __init__(self, names: Names, values: Values, places: Places, datasets: DatasetReader) -> None:
        self.names = names
        self.values = values
        self.places = places
        self.datasets = datasets

    def read(self) -> Iterator[Generator]:
        """Every generator once, with all that is drawn from it in workers."""
        if not self._makers:
            return
        draws: dict[int, list[Expression]] = {}
        for call in self.names.file.calls:
            if Place.WORKER in self.places.of(call.spot):
                for maker in self._drawn_from(call):
                    draws.setdefault(id(maker.node), []).append(call)
        for key, found in draws.items():
            maker = self._makers[key]
            datasets = [d for d in self.datasets.by_scope.values() if self._serves(d, found)]
            if self._is_sent(datasets) and key not in self._reseeded:
                yield self._record(maker, found, datasets)

    def _record(self, maker: Expression, draws: list[Expression], datasets: list[DatasetClass]) -> Generator:
        source = self._source(maker)
        methods = [dataset.methods for dataset in datasets]
        return Generator(
            site=maker,
            source=source,
            name=self.names.file.names.get(id(maker.node)) or _receiver(draws[0]) or source.rpartition(".")[2],
            draws=tuple(draws),
            methods=self._methods(maker, source) & (frozenset().union(*methods) if methods else ALL_METHODS),
            loaders=tuple(dict.fromkeys(site for dataset in datasets for site in dataset.sites)),
        )

    def _methods(self, maker: Expression, source: str) -> frozenset[StartMethod]:
        """Under fork all is copied; else what is made at import is made again, and a torch.Generator is not sent."""
        is_global = Place.IMPORT in self.places.of(maker.spot) and maker.spot.scope.function is None
        if source == "torch.Generator":
            return ALL_METHODS if is_global else _FORK
        return _FORK if is_global and not self._is_seeded(maker) else ALL_METHODS

    def _is_seeded(self, maker: Expression) -> bool:
        args = maker.node.args if isinstance(maker.node, cst.Call) else ()
        if self._is_pipeline(maker):
            args = [arg for arg in args if arg.keyword is not None and arg.keyword.value == "seed"]
        values = [self.values.value(maker.of(arg.value)) for arg in args]
        return any(value.constants != (None,) for value in values)

    # --- what makes generators

    @cached_property
    def _makers(self) -> dict[int, Expression]:
        """The calls that make a generator, by the id of their nodes."""
        found = {id(call.node): call for call in self.names.file.calls if self._source(call) in GENERATORS}
        return {key: call for key, call in found.items() if not self._is_pipeline(call) or self._draws(call)}

    def _is_pipeline(self, call: Expression) -> bool:
        return self._source(call).startswith("albumentations.")

    def _draws(self, pipeline: Expression) -> bool:
        """Whether a pipeline of albumentations has a random step, which draws from the pipeline's own generators."""
        steps = (leaf for leaf, _ in self.datasets.contents.of(pipeline) if isinstance(leaf, Literal))
        names = (self.names.callee_name(leaf.expression) for leaf in steps)
        own = (name.rpartition(".")[2] for name in names if name.startswith("albumentations."))
        return any(name not in STEADY_ALBUMENTATIONS for name in own) and not self._is_for_old_albumentations

    def _source(self, call: Expression) -> str:
        """The full name of what a call calls; `torch.Generator().manual_seed(0)` is a generator as well."""
        func = call.node.func if isinstance(call.node, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value == "manual_seed" and isinstance(func.value, cst.Call):
            return self._source(call.of(func.value))
        return self.names.callee_name(call)

    @cached_property
    def _is_for_old_albumentations(self) -> bool:
        """Whether a file uses what albumentations had only before its transforms got generators of their own."""
        for call in self.names.file.calls:
            parts = self.names.callee_name(call).split(".")
            if parts[0] != "albumentations" or not isinstance(call.node, cst.Call):
                continue
            keywords = {arg.keyword.value for arg in call.node.args if arg.keyword is not None}
            is_old_crop = parts[-1] in ("RandomResizedCrop", "RandomSizedCrop") and "size" not in keywords
            has_old_sides = is_old_crop and ("height" in keywords or _plain_count(call.node) > 1)
            if has_old_sides or not OLD_ALBUMENTATIONS.isdisjoint(parts) or keywords & OLD_ALBUMENTATIONS_KEYWORDS:
                return True
        return False

    # --- what draws from them

    def _drawn_from(self, call: Expression) -> Iterator[Expression]:
        """The generators that a call in worker code draws from."""
        node = call.node
        if not isinstance(node, cst.Call) or self._is_order(call):
            return
        if isinstance(node.func, cst.Attribute) and last_name(node) not in _RESEEDS | _DRAWS_NOTHING:
            yield from self._made_before(call.of(node.func.value), of=("numpy.", "random."))
        yield from self._made_before(call.of(node.func), of=("albumentations.",))
        if self._may_draw(call):
            for arg in node.args:
                yield from self._made_before(call.of(arg.value), of=("numpy.", "random.", "torch."))

    def _is_order(self, call: Expression) -> bool:
        function = call.spot.scope.function
        iters = [m for d in self.datasets.by_scope.values() if (m := self.names.method(d.scope, "__iter__"))]
        return last_name(call.node) in _ORDERS and function in self.places.below(iters)

    def _may_draw(self, call: Expression) -> bool:
        """Whether a call is one of somebody else's function, which is given a generator to draw from it."""
        leaves = self.names.callee(call)
        if any(isinstance(leaf, Defined) or self.names.instance_of(leaf) for leaf in leaves):
            return False
        return any(isinstance(leaf, Imported) and not leaf.name.startswith(_NO_DRAWING) for leaf in leaves)

    def _made_before(self, expression: Expression, of: tuple[str, ...]) -> Iterator[Expression]:
        """The generators that an expression may be, if it is sure that none of them was made in a worker."""
        if not isinstance(expression.node, (cst.Name, cst.Attribute)):
            return
        leaves = [leaf for leaf in self.names.sources(expression) if leaf != Imported("builtins.None")]
        makers = [maker for leaf in leaves if (maker := self._maker(leaf)) is not None]
        is_attribute = isinstance(expression.node, cst.Attribute)
        if not makers or not all(self._is_parents(maker) for maker in makers):
            return
        if is_attribute and self._is_renewed(expression) or not is_attribute and len(makers) < len(leaves):
            return
        yield from (maker for maker in makers if self._source(maker).startswith(of))

    def _is_parents(self, maker: Expression) -> bool:
        """Whether it is known that a generator is made before there is a worker; a property may be asked anywhere."""
        places, function = self.places.of(maker.spot), maker.spot.scope.function
        is_known = bool(places) or function is not None and function.name == "__init__"
        return is_known and Place.WORKER not in places

    def _maker(self, leaf: Leaf) -> Expression | None:
        return self._makers.get(id(leaf.node)) if isinstance(leaf, Literal) else None

    # --- what makes it harmless

    def _is_renewed(self, expression: Expression) -> bool:
        """Whether anything but the code that builds an object puts a generator under this name, or seeds it."""
        name = expression.node.attr.value if isinstance(expression.node, cst.Attribute) else ""
        bindings = [binding for scope in self._related(expression) for binding in scope.attributes.get(name, ())]
        return name in self._reset_names or not all(self._builds(binding) for binding in bindings)

    def _related(self, expression: Expression) -> list[Scope]:
        """The classes of which an object may be whose attribute this is; all classes, where that isn't known."""
        base = expression.node.value if isinstance(expression.node, cst.Attribute) else expression.node
        owners = [self.names.instance_of(leaf) for leaf in self.names.sources(expression.of(base))]
        known = [scope for scope in owners if scope is not None]
        if len(known) < len(owners) or not known:
            return self.names.file.classes
        heirs = [s for s in self.names.file.classes if any(one in known for one in self.names.bases(s))]
        return [*known, *heirs, *(base for scope in known for base in self.names.bases(scope))]

    def _builds(self, binding: Binding) -> bool:
        function = binding.spot.scope.function
        return function is None or self._is_before_workers(function)

    def _is_before_workers(self, function: Scope) -> bool:
        """Whether a function runs while an object is built, and in no worker."""
        places = self.places.of_function(function)
        return Place.WORKER not in places and (function.name == "__init__" or Place.BUILD in places)

    @cached_property
    def _reseedings(self) -> list[Expression]:
        """What is given a new seed by code that may run in workers."""
        found = []
        for call in self.names.file.calls:
            func, function = call.node.func if isinstance(call.node, cst.Call) else None, call.spot.scope.function
            if isinstance(func, cst.Attribute) and func.attr.value in _RESEEDS and function is not None:
                if not self._is_before_workers(function):
                    found.append(call.of(func.value))
        return found

    @cached_property
    def _reset_names(self) -> set[str]:
        """Attributes that are seeded anew, or set from outside: `dataset.rng = ...`, `setattr(self, "rng", ...)`."""
        file = self.names.file
        found = {_last(base) for base in self._reseedings if isinstance(base.node, cst.Attribute)}
        for target, _ in (*file.outer, *file.far):
            found.update(dotted(target.node).split(".")[1:])
        for call in file.calls:
            if self.names.callee_name(call) == "builtins.setattr" and isinstance(call.node, cst.Call):
                texts = (arg.value for arg in call.node.args if isinstance(arg.value, cst.SimpleString))
                found.update(str(text.evaluated_value) for text in texts)
        return found

    @cached_property
    def _reseeded(self) -> set[int]:
        """The generators that are seeded anew by their own name, by the id of their nodes."""
        leaves = (leaf for base in self._reseedings for leaf in self.names.sources(base))
        return {id(leaf.node) for leaf in leaves if isinstance(leaf, Literal)}

    # --- who is concerned

    def _serves(self, dataset: DatasetClass, draws: Iterable[Expression]) -> bool:
        """Whether it is this dataset's worker code that draws."""
        functions = self.datasets.worker_functions(dataset.scope)
        return any(draw.spot.scope.function in functions for draw in draws)

    def _is_sent(self, datasets: list[DatasetClass]) -> bool:
        """Whether one of the datasets that draw may meet workers; what no dataset calls is known to be sent."""
        if not datasets:
            return True
        return any(self.datasets.may_be_sent(one) and not self.datasets.is_left_idle(one) for one in datasets)


def _receiver(call: Expression) -> str:
    """What stands before the dot of a call."""
    func = call.node.func if isinstance(call.node, cst.Call) else None
    return dotted(func.value) if isinstance(func, cst.Attribute) else ""


def _last(expression: Expression) -> str:
    """The last name of a chain of attributes: `rng` of `info.dataset.rng`."""
    return dotted(expression.node).rpartition(".")[2]


def _plain_count(node: cst.Call) -> int:
    return sum(arg.keyword is None and not arg.star for arg in node.args)
