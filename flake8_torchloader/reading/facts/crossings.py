"""Lambdas, nested functions and local classes that travel to a worker."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.module import Crossing, Kind
from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.contents import Contents, Held
from flake8_torchloader.reading.flow.decorated import stand_in
from flake8_torchloader.reading.flow.leaves import Defined, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Expression, Scope, ScopeKind
from flake8_torchloader.start_method import ALL_METHODS, StartMethod


class CrossingReader:
    """Follows what is handed to loaders and kept by datasets."""

    def __init__(self, names: Names, contents: Contents, loaders: LoaderReader, datasets: DatasetReader) -> None:
        self.names = names
        self.contents = contents
        self.loaders = loaders
        self.datasets = datasets

    def read(self) -> Iterator[Crossing]:
        """Every crossing once, however many loaders it reaches."""
        seen: set[tuple[Kind, int]] = set()
        for crossing in (*self._through_classes(), *self._through_loaders(), *self._through_library()):
            site = crossing.site
            key = (crossing.kind, id(site.node) if isinstance(site, Expression) else 0)
            if key not in seen:
                seen.add(key)
                yield crossing

    def _through_loaders(self) -> Iterator[Crossing]:
        for loader in self.loaders.calls:
            if not loader.has_workers:
                continue
            name = self.loaders.name(loader)
            for slot in ("collate_fn", "worker_init_fn", "dataset"):
                for argument in loader.arguments.of(slot):
                    found = self._crossings(argument, slot, name, loader.methods, loader.sites)
                    yield from (crossing for crossing in found if not _may_exclude(loader, crossing))

    def _through_classes(self) -> Iterator[Crossing]:
        for dataset in self.datasets.by_scope.values():
            if not self.datasets.may_be_sent(dataset) or self.names.chooses_state(dataset.scope):
                continue
            yield from self.datasets.unless_idle(dataset, self._through_class(dataset))

    def _through_class(self, dataset: DatasetClass) -> Iterator[Crossing]:
        name, methods, sites = dataset.scope.name, dataset.methods, dataset.sites
        for argument in self.contents.passed_to_library(dataset.scope):
            yield from self._crossings(argument, "dataset", name, methods, sites)
        for attribute, binding in self.datasets.kept_in_the_end(dataset):
            for value in self.contents.given(dataset.scope, binding):
                yield from self._crossings(value, f"self.{attribute}", name, methods, sites)

    def _through_library(self) -> Iterator[Crossing]:
        for call in self.datasets.of_libraries:
            carrier = self.names.callee_name(call).rpartition(".")[2]
            yield from self._crossings(call, "dataset", carrier, ALL_METHODS, ())

    def _crossings(
        self,
        argument: Expression,
        slot: str,
        carrier: str,
        methods: frozenset[StartMethod],
        loaders: tuple[Expression, ...],
    ) -> Iterator[Crossing]:
        for held in self.contents.of(argument):
            found = self._kind(held)
            if found is not None:
                kind, site, name, defined = found
                yield Crossing(kind, site, name, slot, carrier, methods, defined, loaders)

    def _kind(self, held: Held) -> tuple[Kind, Expression, str, Expression | None] | None:
        """What can't be pickled of what is held: the line to speak of, its name, and where it is written."""
        leaf, mention = held
        if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
            site = self._site(leaf.expression.spot.scope, mention, leaf.expression)
            name = self.names.file.names.get(id(leaf.node), "")
            return (Kind.LAMBDA, site, name, leaf.expression) if site is not None else None
        if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION:
            return self._function(leaf.scope, mention)
        scope = self.names.instance_of(leaf)
        site = self._site(scope, mention) if scope is not None and scope.is_local else None
        return (Kind.CLASS, site, scope.name, definition(scope)) if scope is not None and site is not None else None

    def _function(self, scope: Scope, mention: Expression) -> tuple[Kind, Expression, str, Expression | None] | None:
        """A function to which no name leads; a bound method takes its object along, and with it the object's class."""
        sent = scope if scope.is_local else stand_in(self.names, scope)
        carrier = sent if sent is None or sent.owner is None else sent.owner
        if carrier is None or not carrier.is_local:
            return None
        site = self._site(scope, mention)
        kind = Kind.FUNCTION if carrier is sent else Kind.CLASS
        return (kind, site, carrier.name, definition(carrier)) if site is not None else None

    def _site(self, scope: Scope, mention: Expression, itself: Expression | None = None) -> Expression | None:
        """The line of this file to speak of; None where another file sends what is its own."""
        if self.names.is_own(scope):
            return itself or self.names.own(mention)
        return mention if self.names.own(mention) is mention else None


def _may_exclude(loader: LoaderCall, crossing: Crossing) -> bool:
    """Whether a loader that has no workers in some case may be in that case when something is sent in some case."""
    written = crossing.definition
    if not isinstance(written, Expression) or written.spot.block.encloses(loader.call.spot.block):
        return False  # it is sent whenever this loader is made
    return not written.spot.block.is_certain and 0 in loader.workers.constants


def definition(scope: Scope) -> Expression | None:
    """Where a function or class begins for Python: at its first decorator, if it has one."""
    if scope.decorators:
        return scope.decorators[0]
    return Expression(scope.node, scope.spot) if scope.spot is not None else None
