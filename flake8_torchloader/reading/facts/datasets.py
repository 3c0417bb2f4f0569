"""The dataset classes of a file, what builds them, what of them runs in workers, and which loaders they reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import libcst as cst

from flake8_torchloader.module import UNKNOWN, Place, Value
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.facts.takers import Takers
from flake8_torchloader.reading.flow.contents import Contents
from flake8_torchloader.reading.flow.leaves import Defined, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import WORKER_METHODS, Places
from flake8_torchloader.reading.known import FOREIGN, is_dataset_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Scope, ScopeKind, Spot, lasting
from flake8_torchloader.start_method import ALL_METHODS, StartMethod

SENT = ("dataset", "collate_fn", "worker_init_fn")
"""The arguments of a loader that cross to its workers; samplers and generators stay in the parent."""

_T = TypeVar("_T")


@dataclass(eq=False)
class DatasetClass:
    """A dataset class of the file, with the loaders that objects of it are seen to reach.

    What is asked of all of them is asked once they are all known.
    """

    scope: Scope
    loaders: list[LoaderCall] = field(default_factory=list)

    @property
    def meets_workers(self) -> bool:
        """True unless every loader that it is seen to reach has none."""
        return not self.loaders or any(loader.has_workers for loader in self.loaders)

    @cached_property
    def methods(self) -> frozenset[StartMethod]:
        """The start methods of the loaders that it reaches."""
        busy = [loader.methods for loader in self.loaders if loader.has_workers]
        return frozenset().union(*busy) if busy else ALL_METHODS

    @cached_property
    def sites(self) -> tuple[Expression, ...]:
        """Where the loaders that it reaches are made."""
        return tuple(site for loader in self.loaders for site in loader.sites)

    @cached_property
    def workers(self) -> Value:
        """The number of workers of the busiest loader that it reaches."""
        known = [n for loader in self.loaders if isinstance(n := loader.workers.only, int)]
        return Value((max(known),), complete=True) if known else UNKNOWN


class DatasetReader:
    """Finds the dataset classes of one file and follows their objects to the loaders."""

    def __init__(
        self, names: Names, contents: Contents, loaders: LoaderReader, places: Places, *, speaks_of_torch: bool = True
    ) -> None:
        self.speaks_of_torch = speaks_of_torch
        self.names = names
        self.contents = contents
        self.loaders = loaders
        self.places = places
        self.takers = Takers(names, loaders)
        self._idle: dict[Scope, bool] = {}
        self.by_scope = {s: DatasetClass(s) for s in names.file.classes if self.is_dataset(s)}
        self.silenced: set[Expression] = set()
        self.reached: set[Expression] = set()
        self.run_by: dict[Scope, list[LoaderCall]] = {}
        for loader in loaders.calls:
            for slot in SENT:
                for argument in loader.arguments.of(slot):
                    self._follow(loader, slot, argument)
        for dataset in self._shown():
            dataset.loaders += self.takers.busy(dataset.scope)
        for dataset in self.by_scope.values():
            self._place(dataset)
        for call in self.of_libraries:
            for leaf, _ in contents.of(call):
                self.places.reach(self.functions_of(leaf), Place.WORKER)

    def is_dataset(self, scope: Scope) -> bool:
        """A class with a dataset for a base; one whose base is only named so must also act like one.

        In a file that doesn't speak of torch a name is not enough.
        """
        names = self.names.base_names(scope)
        if any(is_dataset_name(name) for name in names) or not self.speaks_of_torch:
            return any(is_dataset_name(name) for name in names)
        acts = any(self.names.method(scope, m) for m in ("__getitem__", "__iter__"))
        return acts and any(_sounds_like_dataset(name) for name in names)

    def _shown(self) -> list[DatasetClass]:
        """The datasets without workers here, where all loaders stand under the main guard.

        In a file that others import, such loaders are only a demonstration.
        """
        idle = [dataset for dataset in self.by_scope.values() if not self.may_be_sent(dataset)]
        places = (self.places.of(loader.call.spot) for loader in self.loaders.calls)
        return idle if all(place == {Place.GUARDED} for place in places) else []

    @cached_property
    def of_libraries(self) -> tuple[Expression, ...]:
        """The calls that make datasets of known libraries which no loader of this file is seen to get."""
        seen = self.silenced | self.reached
        return tuple(
            call
            for call in (self.names.file.calls if self.may_meet_workers else ())
            if is_dataset_name(self.names.callee_name(call))
            and call not in seen
            and (self.loaders.calls or call.spot.scope.function is not None)
        )

    def _follow(self, loader: LoaderCall, slot: str, argument: Expression) -> None:
        """Note everything that a loader's argument takes along."""
        busy = loader.has_workers
        for leaf, _ in self.contents.of(argument):
            if isinstance(leaf, Literal):
                (self.reached if busy else self.silenced).add(leaf.expression)
            scope = self.names.instance_of(leaf)
            if scope is not None:
                self._note(scope, loader, is_dataset=slot == "dataset")
            for function in self.functions_of(leaf) if busy else ():
                self.places.reach([function], Place.WORKER)
                self.run_by.setdefault(function, []).append(loader)

    def _note(self, scope: Scope, loader: LoaderCall, *, is_dataset: bool) -> None:
        for one in filter(self.names.is_own, (scope, *self.names.bases(scope))):
            acts = one.method("__getitem__") or one.method("__iter__")
            if one in self.by_scope or (is_dataset and acts):
                self.by_scope.setdefault(one, DatasetClass(one)).loaders.append(loader)

    def functions_of(self, leaf: Leaf) -> Iterator[Scope]:
        """The functions that a worker calls when it is given a value."""
        if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION:
            yield leaf.scope
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
            body = self.names.inner_scope(leaf.expression)
            yield from [body] if body is not None else []
        scope = self.names.instance_of(leaf)
        if scope is not None:
            yield from (m for name in WORKER_METHODS if (m := self.names.method(scope, name)))

    def _place(self, dataset: DatasetClass) -> None:
        """Its methods run in workers if it meets any; `__init__` builds it."""
        init = self._method(dataset.scope, "__init__")
        self.places.reach([init] if init else [], Place.BUILD)
        if not self.may_be_sent(dataset):
            return
        methods = [m for name in (*WORKER_METHODS[:3], "__setstate__") if (m := self._method(dataset.scope, name))]
        self.places.reach(methods, Place.WORKER)
        for _, binding in self.kept(dataset):
            for leaf, _ in self.contents.of(binding.value) if binding.value is not None else ():
                self.places.reach(self.functions_of(leaf), Place.WORKER)

    def _method(self, scope: Scope, name: str) -> Scope | None:
        """A method of the class itself, or inherited from another file; a base of this file is seen by itself."""
        own = scope.method(name)
        inherited = self.names.method(scope, name) if own is None else None
        return own if inherited is None or self.names.is_own(inherited) else inherited

    def kept(self, dataset: DatasetClass) -> Iterator[tuple[str, Binding]]:
        """What a dataset keeps on itself while it is built, by attribute, in the order of the text."""
        for name, bindings in dataset.scope.attributes.items():
            for binding in bindings:
                function = binding.spot.scope.function
                if function is not None and Place.BUILD in self.places.of_function(function):
                    yield name, binding

    def kept_in_the_end(self, dataset: DatasetClass) -> Iterator[tuple[str, Binding]]:
        """What a dataset keeps that nothing later replaces or deletes: in the same method, or after it was called."""
        bound: dict[str, list[Binding]] = {}
        for attribute, binding in self.kept(dataset):
            bound.setdefault(attribute, []).append(binding)
        for attribute, bindings in bound.items():
            last = lasting(bindings)
            yield from ((attribute, one) for one in last if not self._is_dropped(dataset.scope, one, last))

    def _is_dropped(self, scope: Scope, one: Binding, others: list[Binding]) -> bool:
        """Whether `__init__` calls what sets an attribute, and later sets it anew or calls what does."""
        init = self.names.method(scope, "__init__")
        ends = [b for b in others if b.how in (How.VALUE, How.OTHER) and b.spot.block.is_certain]
        function = one.spot.scope.function
        later = [end for end in ends if end.spot.scope.function is not function]
        if init is None or not later:
            return False
        moment = max((spot.order for spot in self._moments(init, one)), default=0)
        return any(
            spot.order > moment > 0 and spot.block.is_certain for end in later for spot in self._moments(init, end)
        )

    def _moments(self, init: Scope, binding: Binding) -> Iterator[Spot]:
        """Where in `__init__` an attribute is set, by itself or by what it calls there."""
        function = binding.spot.scope.function
        if function is init:
            yield binding.spot
            return
        for call in self.names.calls_in(init) if function is not None else ():
            if function in self.places.below(target for target, _ in self.names.calls.targets(call)):
                yield call.spot

    def worker_functions(self, scope: Scope) -> set[Scope]:
        """What a worker runs of one dataset class, and what that calls."""
        roots = (self.names.method(scope, name) for name in WORKER_METHODS[:3])
        return self.places.below(method for method in roots if method is not None)

    def may_be_sent(self, dataset: DatasetClass) -> bool:
        """Whether workers may get such a dataset: one that no loader is seen to get is not if all here have none."""
        return dataset.meets_workers and (bool(dataset.loaders) or self.may_meet_workers)

    def is_left_idle(self, dataset: DatasetClass) -> bool:
        """Whether no loader is seen here, and those of the files that import the class have no workers.

        The whole project is searched for that: it is asked only where there is something to say.
        """
        if self.loaders.calls:
            return False
        if dataset.scope not in self._idle:
            self._idle[dataset.scope] = self.takers.leave_idle(dataset.scope)
        return self._idle[dataset.scope]

    def unless_idle(self, dataset: DatasetClass, found: Iterator[_T]) -> Iterator[_T]:
        """What is found in a dataset, if any worker may ever get one."""
        for one in found:
            if self.is_left_idle(dataset):
                return
            yield one

    def is_for_idle(self, function: Scope | None) -> bool:
        """Whether a function is worker code of such datasets only that no worker gets."""
        owners = [one for one in self.by_scope.values() if function in self.worker_functions(one.scope)]
        return bool(owners) and all(map(self.is_left_idle, owners))

    @property
    def may_meet_workers(self) -> bool:
        """Whether a dataset of which no loader is seen may still meet workers: not if all here have none."""
        return not self.loaders.calls or any(loader.has_workers for loader in self.loaders.calls)


def _sounds_like_dataset(name: str) -> bool:
    """Whether a class of this project or of an unknown package is called a dataset."""
    package = name.lstrip(".").split(".")[0]
    return name.endswith("Dataset") and package not in FOREIGN and not name.startswith("datasets.")
