"""The arrays that a dataset loads or makes whole while it is built, and how many bytes they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from flake8_torchloader.module import Array, Place
from flake8_torchloader.reading.facts.conversions import Conversions
from flake8_torchloader.reading.facts.crossings import definition
from flake8_torchloader.reading.facts.datasets import DatasetClass, DatasetReader
from flake8_torchloader.reading.facts.extents import ROW, Extents
from flake8_torchloader.reading.facts.indexes import TABLES, Indexes, names_labels
from flake8_torchloader.reading.flow.leaves import Defined, Element, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.mapped import mapped
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.paths import ends_in
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import (
    HANDLES,
    ITEM_READERS,
    KEEPING_METHODS,
    MAKERS,
    SAMPLE_AT,
    SCALING_METHODS,
    UNPICKLERS,
    WHOLE_READERS,
    WRAPPERS,
)
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How
from flake8_torchloader.reading.tree.walk import below
from flake8_torchloader.start_method import ALL_METHODS, PICKLING_METHODS

_IMAGES = ("imread", "Image.open", "ReadImage")


@dataclass(frozen=True, slots=True)
class Whole:
    """A call that gives a whole array; `size` in bytes, None where the file doesn't tell."""

    call: Expression
    source: str
    size: int | None
    is_item: bool = False


class ArrayReader:
    """Finds what the datasets of one file keep whole."""

    def __init__(self, names: Names, values: Values, datasets: DatasetReader) -> None:
        self.names = names
        self.values = values
        self.datasets = datasets
        self.extents = Extents(names, values)
        self.indexes = Indexes(names, datasets)
        self.conversions = Conversions(names)
        self._seen: set[tuple[int, bool, bool]] = set()

    def read(self) -> Iterator[Array]:
        """Every array once, however many datasets share the helper that loads it."""
        seen: set[int] = set()
        for dataset in self.datasets.by_scope.values():
            if self.datasets.may_be_sent(dataset) and not self.names.chooses_state(dataset.scope):
                yield from self.datasets.unless_idle(dataset, self._of(dataset, seen))

    def _of(self, dataset: DatasetClass, seen: set[int]) -> Iterator[Array]:
        if self.conversions.are_unknown(dataset.scope):
            return
        reads_items = self.indexes.reads_items(dataset.scope)
        made: set[str] = set()
        for attribute, binding in self.datasets.kept_in_the_end(dataset):
            if binding.how is How.ADDED and attribute in made:
                continue  # `self.x[i] = np.load(f)` fills what `np.zeros(...)` made
            for whole in self._wholes(binding) if not self.conversions.ends_as_tensor(dataset.scope, attribute) else ():
                key = id(whole.call.node)
                is_index = reads_items and not self.indexes.is_kept_or_read(dataset.scope, attribute)
                if key in seen or not self._counts(whole, attribute, is_index=is_index):
                    continue
                if self.indexes.is_looked_up(dataset.scope, whole.source, attribute):
                    continue
                seen.add(key)
                made.update([attribute] if whole.source in MAKERS else [])
                yield self._record(dataset, attribute, whole)

    def _record(self, dataset: DatasetClass, attribute: str, whole: Whole) -> Array:
        grows = whole.source in UNPICKLERS  # a list of arrays doesn't: only what counts its references there is copied
        return Array(
            site=whole.call,
            source=whole.source,
            attribute=f"self.{attribute}",
            dataset=dataset.scope.name,
            size=whole.size,
            workers=dataset.workers,
            methods=dataset.methods & (ALL_METHODS if grows else PICKLING_METHODS),
            loaders=dataset.sites,
            definition=definition(dataset.scope),
        )

    def _counts(self, whole: Whole, attribute: str, *, is_index: bool) -> bool:
        """Whether data of unknown size is the data itself, and no index, label vector or statistics."""
        if whole.size is not None:
            return True
        if whole.source in MAKERS:
            return self._in_build(whole.call)
        is_sample = whole.is_item and whole.source in ITEM_READERS
        is_image = is_sample and whole.source.endswith(_IMAGES)  # images are no small labels, whatever they are called
        is_whole = is_sample or whole.source == "numpy.memmap" or not is_index  # nobody maps an index
        is_data = is_image or (not names_labels(attribute) and is_whole)
        return is_data and self._in_build(whole.call)

    def _in_build(self, call: Expression) -> bool:
        function = call.spot.scope.function
        places = self.datasets.places.of_function(function) if function is not None else frozenset()
        return Place.BUILD in places and Place.WORKER not in places

    # --- what gives a whole array

    def _wholes(self, binding: Binding) -> Iterator[Whole]:
        """What one line keeps; what a function of another file gives is kept by the line that calls it."""
        self._seen.clear()
        for whole in self._leaves(self.names.bound(binding), in_loop=False):
            call = self.names.own(whole.call)
            if call is not None:
                yield replace(whole, call=call)

    def _whole(self, expression: Expression, *, in_loop: bool) -> Iterator[Whole]:
        yield from self._leaves(self.names.sources(expression), in_loop=in_loop)

    def _leaves(self, leaves: list[Leaf], *, in_loop: bool) -> Iterator[Whole]:
        for leaf in leaves:
            if not isinstance(leaf, (Element, Literal)) or not self._is_new(leaf, in_loop=in_loop):
                continue
            if isinstance(leaf, Element):
                yield from self._whole(leaf.expression, in_loop=True)
            else:
                yield from self._literal(leaf.expression, in_loop=in_loop)

    def _is_new(self, leaf: Element | Literal, *, in_loop: bool) -> bool:
        """Whether a leaf was not looked at for this attribute yet."""
        key = (id(leaf.expression.node), in_loop, isinstance(leaf, Element))
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _literal(self, at: Expression, *, in_loop: bool) -> Iterator[Whole]:
        match at.node:
            case cst.Call():
                yield from self._call(at, at.node, in_loop=in_loop)
            case cst.ListComp():
                inner = self.names.containers.inside(at, at.node, at.node.elt)
                yield from self._whole(inner, in_loop=True)
                if isinstance(at.node.elt, cst.Name):
                    yield from self._whole(at.of(at.node.for_in.iter), in_loop=in_loop)
            case cst.DictComp():
                inner = self.names.containers.inside(at, at.node, at.node.value)
                yield from self._whole(inner, in_loop=True)
            case cst.BinaryOperation():
                for side in (at.node.left, at.node.right):
                    yield from self._whole(at.of(side), in_loop=in_loop)
            case cst.Tuple() | cst.List() | cst.Dict():
                for element in at.node.elements:
                    yield from self._whole(at.of(element.value), in_loop=in_loop)
            case cst.Attribute(attr=cst.Name(value="values" | "T" | "data")):
                yield from self._whole(at.of(at.node.value), in_loop=in_loop)
            case cst.Subscript():
                yield from self._subscript(at, at.node, in_loop=in_loop)

    def _subscript(self, at: Expression, node: cst.Subscript, *, in_loop: bool) -> Iterator[Whole]:
        """`np.load(f)["x"]` is as whole as the file; `h5["x"][:]` is read by its slice; a column is small."""
        parts = [element.slice for element in node.slice]
        if isinstance(node.value, cst.Attribute) and node.value.attr.value in ("iloc", "loc"):
            is_line = _number(parts[0]) is not None or any(_is_label(part) for part in parts)
            if not is_line and not self._is_few(at, parts) and all(_number(part) is None for part in parts):
                yield from self._whole(at.of(node.value.value), in_loop=in_loop)
            return
        h5 = self._h5_file(at.of(node.value))
        if h5 is not None:
            if all(isinstance(part, cst.Slice) or _is_everything(part) for part in parts):
                yield from self._read_h5(h5, at)
            return
        for whole in self._whole(at.of(node.value), in_loop=in_loop):
            if self._is_few(at, parts):
                continue
            is_column = any(_is_label(part) for part in parts) and whole.source.startswith(TABLES)
            number = next((n for part in parts if (n := _number(part)) is not None), None)
            is_one = number is not None and SAMPLE_AT.get(whole.source) != number or self._is_drawn(at, parts)
            if not is_column and not (is_one and whole.size is None):
                yield whole

    def _is_drawn(self, at: Expression, parts: list[cst.BaseSlice]) -> bool:
        """Whether a key is one that is drawn at random, which takes a single element."""
        keys = [at.of(part.value) for part in parts if isinstance(part, cst.Index)]
        return any(self.names.callee_name(key) in ("random.randint", "random.randrange") for key in keys)

    def _is_few(self, at: Expression, parts: list[cst.BaseSlice]) -> bool:
        """Whether a literal slice, as in `[:10]`, keeps a few rows."""
        upper = [part.upper for part in parts[:1] if isinstance(part, cst.Slice) and part.upper is not None]
        counts = [self.values.value(at.of(end)).only for end in upper]
        return any(isinstance(count, int) and 0 < count < ROW for count in counts)

    def _h5_file(self, expression: Expression, depth: int = 0) -> Expression | None:
        """The place where a dataset of an HDF5 file is taken out of the file."""
        for leaf in self.names.sources(expression) if depth < 6 else ():
            if not isinstance(leaf, Literal):
                continue
            node, at = leaf.node, leaf.expression
            if isinstance(node, cst.Call) and self.names.callee_name(at) == "h5py.File":
                return expression
            if isinstance(node, cst.Subscript) and node is not expression.node:
                return self._h5_file(at, depth + 1)
            base = node.value if isinstance(node, cst.Subscript) else None
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
                base = node.func.value if node.func.attr.value == "get" else None
            if base is not None and self._h5_file(at.of(base), depth + 1) is not None:
                return expression
        return None

    def _read_h5(self, dataset: Expression, at: Expression) -> Iterator[Whole]:
        """A dataset of an HDF5 file that is read whole somewhere, unless its key says that it holds labels."""
        keys = (n.evaluated_value for n in below(dataset.node) if isinstance(n, cst.SimpleString))
        if not any(isinstance(key, str) and names_labels(key.rpartition("/")[2]) for key in keys):
            yield Whole(at, "h5py.File", None)

    def _call(self, at: Expression, node: cst.Call, *, in_loop: bool) -> Iterator[Whole]:
        name = self.names.callee_name(at)
        if name.startswith("torch."):
            return  # a tensor: its memory is shared with the workers under every start method
        if name in WHOLE_READERS:
            if not self._is_lazy(at, node, name):
                yield Whole(at, name, None, is_item=in_loop)
        elif name in ITEM_READERS:
            if in_loop and name not in HANDLES:
                yield Whole(at, name, None, is_item=True)
        elif name in MAKERS:
            yield from (Whole(at, name, size) for size in self.extents.bytes_made(at, node, name))
        elif name in WRAPPERS and node.args:
            h5 = self._h5_file(at.of(node.args[0].value))
            yield from self._read_h5(h5, h5) if h5 else self._read(at.of(node.args[0].value), in_loop=in_loop)
        elif (function := mapped(self.names, at)) is not None:
            yield from self._results(at, function)
        elif isinstance(node.func, cst.Attribute) and node.func.attr.value in SCALING_METHODS and node.args:
            yield from self._whole(at.of(node.args[0].value), in_loop=in_loop)
        elif isinstance(node.func, cst.Attribute) and node.func.attr.value in KEEPING_METHODS:
            if not self._is_small(at, node):
                yield from self._read(at.of(node.func.value), in_loop=in_loop)

    def _read(self, expression: Expression, *, in_loop: bool) -> Iterator[Whole]:
        """What is read into memory by converting a value: an open image among them."""
        yield from self._whole(expression, in_loop=in_loop)
        for leaf in self.names.sources(expression) if in_loop else ():
            if isinstance(leaf, Literal) and self.names.callee_name(leaf.expression) in HANDLES:
                yield Whole(leaf.expression, self.names.callee_name(leaf.expression), None, is_item=True)

    def _results(self, at: Expression, function: Expression) -> Iterator[Whole]:
        """What a function gives that is called once for each element."""
        for leaf in self.names.sources(function):
            if isinstance(leaf, Imported) and leaf.name in WHOLE_READERS | ITEM_READERS - HANDLES:
                yield Whole(at, leaf.name, None, is_item=True)
            scope = leaf.scope if isinstance(leaf, Defined) else None
            if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
                scope = self.names.inner_scope(leaf.expression)
            frame = self.names.calls.frame(scope, at) if scope is not None else None
            for returned in scope.returns if scope is not None else ():
                yield from self._whole(returned.within(frame), in_loop=True)

    def _is_lazy(self, at: Expression, node: cst.Call, name: str) -> bool:
        """An `.npz` opens without being read."""
        return name == "numpy.load" and bool(node.args) and ends_in(self.names, at.of(node.args[0].value), ".npz")

    def _is_small(self, at: Expression, node: cst.Call) -> bool:
        """Whether a literal shape, as in `.reshape((3, 3))`, makes it a few numbers."""
        shape = node.args[0].value if last_name(node) == "reshape" and len(node.args) == 1 else None
        parts = shape.elements if isinstance(shape, (cst.Tuple, cst.List)) else ()
        counts = [self.values.value(at.of(part.value)).only for part in parts]
        return bool(counts) and all(isinstance(count, int) and 0 < count < ROW for count in counts)


def _is_everything(part: cst.BaseSlice) -> bool:
    if not isinstance(part, cst.Index):
        return False
    return isinstance(part.value, cst.Ellipsis) or (isinstance(part.value, cst.Tuple) and not part.value.elements)


def _is_label(part: cst.BaseSlice) -> bool:
    """Whether a key is one name, as that of a column."""
    return isinstance(part, cst.Index) and isinstance(part.value, cst.SimpleString)


def _number(part: cst.BaseSlice) -> int | None:
    """The position that a key is, counted from the end if below 0; None for any other key."""
    value = part.value if isinstance(part, cst.Index) else None
    sign = 1
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        value, sign = value.expression, -1
    return sign * int(value.value, 0) if isinstance(value, cst.Integer) else None
