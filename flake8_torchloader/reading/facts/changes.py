"""What the parent changes on a dataset while persistent workers keep the copies that they were started with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from flake8_torchloader.module import Place
from flake8_torchloader.reading.facts.datasets import DatasetReader
from flake8_torchloader.reading.facts.epochs import Epochs, loops_around
from flake8_torchloader.reading.facts.loaders import LoaderCall, LoaderReader
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import dotted, last_name
from flake8_torchloader.reading.tree.scopes import Binding, Block, Expression, How, Scope, reaching
from flake8_torchloader.reading.tree.walk import below
from flake8_torchloader.wrong_data import Change

_MOST = 32
"""How many datasets inside others are looked at."""

_ABILITIES = ("hasattr", "isinstance", "callable")
"""What asks whether a dataset can be told something."""

_PARTS = frozenset({"torch.utils.data.Subset", "torch.utils.data.dataset.Subset", "torch.utils.data.random_split"})
"""What gives a part of its first argument, which the workers get whole."""


def may_change_late(text: str) -> bool:
    """Whether a file has persistent workers, and does not end them by way of the loader's own iterator."""
    return "persistent_workers" in text and "._iterator" not in text


class ChangeReader:
    """Finds the changes of one file that come too late for persistent workers."""

    def __init__(self, names: Names, loaders: LoaderReader, datasets: DatasetReader) -> None:
        self.names = names
        self.loaders = loaders
        self.datasets = datasets
        self.epochs = Epochs(names, loaders)

    def read(self) -> Iterator[Change]:
        """Each change once, for the first persistent loader that it is too late for."""
        seen: set[int] = set()
        for loader in self.loaders.calls:
            if not loader.has_workers or not self._is_persistent(loader):
                continue
            for site, what in self._changes(loader):
                if id(site.node) not in seen and self._is_late(site, loader):
                    seen.add(id(site.node))
                    yield Change(site, what, self.loaders.name(loader), loader.methods, (loader.call,))

    def _is_persistent(self, loader: LoaderCall) -> bool:
        """Whether workers stay, if there are any: `True`, or a test such as `num_workers > 0`, in any spelling."""
        given = loader.arguments.of("persistent_workers")
        value = self.loaders.values.union(given)
        is_chosen = value.complete and True in value.constants and all(map(self._is_test, given))
        return bool(given) and (value.only is True or is_chosen)

    def _is_test(self, given: Expression) -> bool:
        """`num_workers > 0`, `bool(num_workers)`, `True if num_workers else False`; the first also by a name."""
        if isinstance(given.node, cst.IfExp) or self.names.callee_name(given) == "builtins.bool":
            return True
        leaves = self._literals(given)
        return bool(leaves) and all(isinstance(leaf.node, cst.Comparison) for leaf in leaves)

    def _literals(self, expression: Expression) -> list[Literal]:
        return [leaf for leaf in self.names.sources(expression) if isinstance(leaf, Literal)]

    # --- what is changed

    def _changes(self, loader: LoaderCall) -> Iterator[tuple[Expression, str]]:
        """The lines that change the dataset of a loader, and what they change: an attribute, or by which method."""
        file = self.names.file
        for target, _ in (*file.outer, *file.far):
            node = target.node
            if isinstance(node, cst.Attribute) and self._is_dataset(target.of(node.value), loader):
                if self._is_read(node.attr.value, self._classes(loader)):
                    yield target, dotted(node)
        for call in file.calls:
            func = call.node.func if isinstance(call.node, cst.Call) else None
            if isinstance(func, cst.Attribute) and self._is_dataset(call.of(func.value), loader):
                if self._is_changed_by(func.attr.value, self._classes(loader)):
                    yield call, f"{dotted(func)}()"

    def _is_dataset(self, expression: Expression, loader: LoaderCall) -> bool:
        """Whether an expression is the very object that a loader was given, or `loader.dataset`."""
        node = expression.node
        if isinstance(node, cst.Attribute) and node.attr.value == "dataset":
            owners = self._literals(expression.of(node.value))
            if any(owner.node is loader.call.node for owner in owners):
                return True
            if self._is_dataset(expression.of(node.value), loader):
                return any(self._wrapped(one) for one in loader.arguments.of("dataset"))
        given = {id(leaf.node) for leaf in self._given(loader)}
        leaves = self._literals(expression)
        return bool(leaves) and all(id(leaf.node) in given for leaf in leaves)

    def _given(self, loader: LoaderCall) -> list[Literal]:
        """What a loader is given for its dataset, and the datasets that this is a part or a row of."""
        found: list[Literal] = []
        asked = list(loader.arguments.of("dataset"))
        while asked and len(found) < _MOST:
            one = asked.pop()
            found += self._literals(one)
            asked += self._wrapped(one)
        return found

    def _wrapped(self, expression: Expression) -> list[Expression]:
        """The datasets of which `Subset` and `random_split` give a part, where an expression is such a part."""
        made = [leaf.expression for leaf in self._literals(expression)]
        if isinstance(expression.node, cst.Name):
            bindings = reaching(expression.node.value, expression.spot)
            made += [b.value for b in bindings if b.path and b.how is How.VALUE and b.value is not None]
        return [
            call.of(call.node.args[0].value)
            for call in made
            if isinstance(call.node, cst.Call) and call.node.args and self.names.callee_name(call) in _PARTS
        ]

    def _classes(self, loader: LoaderCall) -> list[Scope]:
        """The classes of this file that the dataset of a loader may be of."""
        scopes = [self.names.instance_of(leaf) for leaf in self._given(loader)]
        return [scope for scope in scopes if scope is not None]

    def _is_read(self, attribute: str, classes: Iterable[Scope]) -> bool:
        """Whether worker code reads an attribute; of an unknown class it is taken to be there for that."""
        known = list(classes)
        functions = [function for scope in known for function in self.datasets.worker_functions(scope)]
        nodes = (node for function in functions for node in below(function.node))
        reads = any(isinstance(node, cst.Attribute) and node.attr.value == attribute for node in nodes)
        return not known or reads

    def _is_changed_by(self, method: str, classes: list[Scope]) -> bool:
        """Whether a method sets an attribute that worker code reads."""
        for scope in classes:
            function = self.names.method(scope, method)
            inner = self.datasets.places.below([function]) if function is not None else set()
            for name, bindings in scope.attributes.items():
                changes = [binding for binding in bindings if binding.spot.scope.function in inner]
                if any(_replaces(change, bindings) for change in changes) and self._is_read(name, [scope]):
                    return True
        return False

    # --- when

    def _is_late(self, site: Expression, loader: LoaderCall) -> bool:
        """Whether a line runs again after a round over the loader, within one, or between two of them."""
        if Place.WORKER in self.datasets.places.of(site.spot):
            return False
        callers = self.epochs.callers(site) if not _is_chosen(site) else []
        if self._is_repeated(site, loader) or any(self._is_repeated(call, loader) for call in callers):
            return True
        function = site.spot.scope.function
        orders = [use.spot.order for use in self._uses(loader) if use.spot.scope.function is function]
        return any(order < site.spot.order for order in orders) and any(order > site.spot.order for order in orders)

    def _is_repeated(self, site: Expression, loader: LoaderCall) -> bool:
        """Whether a loop runs a line again whose rounds go through the loader, or that goes through it itself."""
        function = site.spot.scope.function
        rounds = list(self.epochs.of(loader, function)) + list(self._rounds(loader, function))
        around = [block for block in loops_around(site) if block in rounds]
        if any(self.epochs.builds(block, one.call) for block in around for one in self._alternatives(loader)):
            return False
        return any(not self._is_first(site, block, loader) for block in around) or self._is_within(site, loader)

    def _alternatives(self, loader: LoaderCall) -> list[LoaderCall]:
        """The loaders that are gone through where this one is: with one of them, changed data may get new workers."""
        shared = {id(use) for use in loader.uses}
        return [one for one in self.loaders.calls if one is loader or not shared.isdisjoint(map(id, one.uses))]

    def _is_within(self, site: Expression, loader: LoaderCall) -> bool:
        """Whether a line stands in a loop over the loader, whose workers read what it changes."""
        over = {id(use.node) for use in self.epochs.iterations(loader)} if self._classes(loader) else set()
        around = list(loops_around(site))
        loops = (block.loop.node for block in around if block.loop is not None)
        is_over = any(isinstance(loop, cst.For) and id(loop.iter) in over for loop in loops)
        return is_over and not any(self.epochs.builds(block, loader.call) for block in around)

    def _is_first(self, site: Expression, round_: Block, loader: LoaderCall) -> bool:
        """Whether a line only runs in the first round, before anything goes through the loader: `if epoch == 0`."""
        counter = round_.loop.node.target if round_.loop is not None and isinstance(round_.loop.node, cst.For) else None
        tests = []
        block: Block | None = site.spot.block
        while block is not None and block is not round_:
            tests.append(block.test)
            block = block.parent
        is_alone = counter is not None and any(_is_zero(test, counter) for test in tests if test is not None)
        uses = [use for use in self._uses(loader) if round_.encloses(use.spot.block)]
        return is_alone and all(use.spot.order > site.spot.order for use in uses)

    def _uses(self, loader: LoaderCall) -> list[Expression]:
        return [*loader.uses, *self.epochs.iterations(loader)]

    def _rounds(self, loader: LoaderCall, function: Scope | None) -> Iterator[Block]:
        """The loops in which somebody else's function is given the loader."""
        for use in loader.uses:
            if use.spot.scope.function is function:
                yield from (block for block in loops_around(use) if not block.encloses(loader.call.spot.block))


def _is_chosen(site: Expression) -> bool:
    """Whether a test decides if a line of a function is run, that asks for more than whether it can be."""
    block: Block | None = site.spot.block
    while block is not None and block.scope is site.spot.block.scope:
        if block.test is not None and last_name(block.test) not in _ABILITIES:
            return True
        block = block.parent
    return False


def _is_zero(test: cst.CSTNode, counter: cst.CSTNode) -> bool:
    """Whether a test asks for the round that is counted as 0."""
    match test:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(cst.Equal(), cst.Integer(value="0"))]):
            return left.deep_equals(counter)
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            return inner.deep_equals(counter)
    return False


def _replaces(change: Binding, bindings: Iterable[Binding]) -> bool:
    """Whether an attribute gets another value; what is added to a container may be shared, to a number it isn't."""
    values = (binding.value.node for binding in bindings if binding.how is How.VALUE and binding.value is not None)
    is_number = any(isinstance(node, (cst.Integer, cst.Float)) for node in values)
    return change.how in (How.VALUE, How.OTHER) or (change.how is How.ADDED and is_number)
