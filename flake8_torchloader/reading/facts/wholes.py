"""What a generator function goes through from its first item to its last, whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from flake8_torchloader.module import Place
from flake8_torchloader.reading.facts.loop_text import (
    goes_on,
    identifiers,
    is_rank,
    looks_up,
    orders,
    steps,
    yields,
)
from flake8_torchloader.reading.flow.annotations import is_said_to_be_container
from flake8_torchloader.reading.flow.leaves import Defined, Element, Imported, Leaf, Literal, Opaque
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.known import ITEM_READERS, WHOLE_READERS
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression, Scope
from flake8_torchloader.reading.tree.walk import below, children

_DEEPEST = 8

_OPENERS = frozenset({
    "builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "csv.reader", "csv.DictReader",
    "glob.glob", "glob.iglob", "os.listdir", "os.scandir", "os.walk", "json.load", "jsonlines.open",
    "pandas.read_sql", "pyarrow.parquet.read_table", "pyarrow.parquet.ParquetFile", "torch.load", "tarfile.open",
    "zipfile.ZipFile", "h5py.File", "itertools.product", "itertools.permutations", "itertools.combinations",
}) | WHOLE_READERS | ITEM_READERS  # fmt: skip
"""What gives the whole of something, in whichever process it is called."""

_COUNTS = frozenset({"builtins.range", "torch.arange", "numpy.arange", "torch.randperm"})
"""What gives numbers to count or to look up items by."""

_PASSES_ON = {
    "builtins.enumerate": 0, "builtins.iter": 0, "builtins.list": 0, "builtins.tuple": 0, "builtins.sorted": 0,
    "builtins.reversed": 0, "builtins.set": 0, "builtins.map": 1, "builtins.filter": 1, "builtins.zip": 0,
    "itertools.chain": 0, "itertools.chain.from_iterable": 0, "itertools.islice": 0, "itertools.starmap": 1,
    "random.sample": 0, "numpy.random.permutation": 0, "tqdm.tqdm": 0, "tqdm.auto.tqdm": 0, "copy.copy": 0,
    "copy.deepcopy": 0, "numpy.array": 0, "numpy.asarray": 0, "numpy.array_split": 0, "itertools.zip_longest": 0,
}  # fmt: skip
"""What goes through one of its arguments, and which."""

_VIEWS = {
    "items", "values", "keys", "readlines", "splitlines", "iterrows", "itertuples", "tolist", "copy", "glob", "rglob",
    "iterdir", "to_dict", "iter_batches", "iter_rows", "getmembers", "infolist", "namelist", "reshape", "flatten",
    "ravel", "astype", "numpy",
}  # fmt: skip
"""Methods that give all that their object holds."""

_RANDOM = re.compile(r"^(random|numpy\.random|torch\.rand\w*|torch\.normal|torch\.empty|torch\.bernoulli)\b")


@dataclass(frozen=True)
class Outermost:
    """A loop that gives items and lies in no other such loop: what it goes through, and where that comes from."""

    source: Expression
    whole: Expression


class Wholes:
    """Answers what the generator functions of one file go through."""

    def __init__(self, names: Names, places: Places) -> None:
        self.names = names
        self.places = places
        self._expressions = {id(loop.node): loop for loop in names.file.loops}

    def of_function(self, function: Scope, depth: int = 0) -> list[Outermost]:
        """What a function gives items from; empty unless all of that is known to be whole."""
        found: list[Outermost] = []
        for loop, source in self._outermost(function):
            whole = self._whole(source, loop, depth) if source is not None and depth < _DEEPEST else None
            if whole is None or source is None or steps(source.node) or (loop is not None and self._chooses(loop)):
                return []
            if loop is not None and self._is_made_up(function, loop, whole):
                return []
            found.append(Outermost(source, whole))
        return found

    # --- the loops that give items

    def _outermost(self, function: Scope) -> Iterator[tuple[cst.For | None, Expression | None]]:
        """The outermost loops that yield, and what is yielded from outside of loops; None for what can't be told."""
        if not function.is_generator:
            yield from ((None, returned) for returned in function.returns)
            return
        delegates = {id(e.node): e for e in function.delegates}
        stack: list[cst.CSTNode] = [function.node.body] if isinstance(function.node, cst.FunctionDef) else []
        while stack:
            node = stack.pop()
            match node:
                case cst.For() if yields(node):
                    yield node, self._expressions.get(id(node.iter))
                case cst.While() if yields(node):
                    yield None, None
                case cst.From():
                    yield None, delegates.get(id(node.item))
                case cst.FunctionDef() | cst.Lambda() | cst.ClassDef():
                    continue
                case _:
                    stack += reversed(children(node))

    def _chooses(self, loop: cst.For) -> bool:
        """Whether a loop may leave out what is not its own, as in `if i % parts == part`; ranks are no workers."""
        for node in below(loop):
            match node:
                case cst.BinaryOperation(operator=cst.Modulo(), right=right) if not isinstance(right, cst.Integer):
                    if not isinstance(node.left, (cst.SimpleString, cst.FormattedString)) and not is_rank(right):
                        return True
                case cst.Comparison(left=cst.BinaryOperation(operator=cst.Modulo()), comparisons=[only]):
                    if not isinstance(only.comparator, cst.Integer) and not is_rank(only.comparator):
                        return True
        return False

    def _is_made_up(self, function: Scope, loop: cst.For, whole: Expression) -> bool:
        """Whether items are drawn, or don't depend on what is counted: `for _ in range(n): yield torch.rand(3)`."""
        if self.names.callee_name(whole) not in _COUNTS or self._counts_items(whole):
            return False
        if not looks_up(loop):
            return True
        calls = self.names.calls_in(function)
        return any(_RANDOM.match(self.names.callee_name(call)) for call in calls)

    def _counts_items(self, call: Expression) -> bool:
        return any(isinstance(node, cst.Call) and last_name(node) == "len" for node in below(call.node))

    # --- what they go through

    def _whole(self, expression: Expression, loop: cst.For | None, depth: int) -> Expression | None:
        """Where that which is gone through comes from, if all that it may be is whole."""
        leaves = [leaf for leaf in self.names.sources(expression) if leaf != Imported("builtins.None")]
        found = [self._of_leaf(leaf, expression, loop, depth) for leaf in leaves] if depth < _DEEPEST else []
        if found and all(one is not None for one in found):
            return found[0]
        return expression if is_said_to_be_container(expression) else None

    def _of_leaf(self, leaf: Leaf, asked: Expression, loop: cst.For | None, depth: int) -> Expression | None:
        if isinstance(leaf, Element):
            return None if self._is_buffer(leaf) else asked
        if isinstance(leaf, Opaque):
            return asked if loop is not None and self._opens_each(loop) or self._is_indexed(asked) else None
        if not isinstance(leaf, Literal):
            return None
        at = leaf.expression
        match leaf.node:
            case cst.List() | cst.Tuple() | cst.Dict() | cst.Set() as display:
                return None if self._may_hold_streams(at, (e.value for e in display.elements), loop) else asked
            case cst.ListComp() | cst.GeneratorExp() | cst.SetComp() as comprehension:
                if self._may_hold_streams(at, [comprehension.elt], loop):
                    return None
                inner = comprehension.for_in.iter
                whole = self._whole(self._expressions.get(id(inner), at.of(inner)), loop, depth + 1)
                is_counted = whole is not None and self.names.callee_name(whole) in _COUNTS
                return asked if is_counted and Place.WORKER not in self.places.of(at.spot) else whole
            case cst.Subscript(value=base, slice=[cst.SubscriptElement(slice=cst.Slice())]):
                return None if steps(leaf.node) else self._whole(at.of(base), loop, depth + 1)
            case cst.Call():
                return self._of_call(at, leaf.node, loop, depth)
            case cst.Attribute() | cst.Name():
                is_known = loop is not None and self._opens_each(loop) or self._is_indexed(asked)
                return asked if is_known else None
        return None

    def _may_hold_streams(self, at: Expression, elements: Iterable[cst.CSTNode], loop: cst.For | None) -> bool:
        """Whether a loop goes on through objects that stand in what it goes through: they may split themselves."""
        if loop is None or not goes_on(loop):
            return False
        leaves = (leaf for element in elements for leaf in self.names.sources(at.of(element)))
        return any(isinstance(leaf, Literal) and self._may_be_stream(leaf) for leaf in leaves)

    def _may_be_stream(self, leaf: Literal) -> bool:
        name = self.names.callee_name(leaf.expression)
        return isinstance(leaf.node, cst.Call) and name not in _OPENERS and not name.startswith("builtins.")

    def _is_buffer(self, leaf: Element) -> bool:
        """Whether a list is filled by worker code: nothing is known of what it is filled from."""
        return Place.WORKER in self.places.of(leaf.expression.spot)

    def _of_call(self, call: Expression, node: cst.Call, loop: cst.For | None, depth: int) -> Expression | None:
        name = self.names.callee_name(call)
        if name in _OPENERS or name in _COUNTS:
            return call
        if name == "datasets.load_dataset":
            return call if all(arg.keyword is None or arg.keyword.value != "streaming" for arg in node.args) else None
        if name in _PASSES_ON:
            at = _PASSES_ON[name]
            plain = [call.of(arg.value) for arg in node.args if arg.keyword is None]
            parts = plain[at:] if name in ("builtins.zip", "itertools.chain") else plain[at:at + 1]
            whole = next((w for part in parts if (w := self._whole(part, loop, depth + 1)) is not None), None)
            is_order = name == "numpy.random.permutation" and self._counts_items(call)
            return call if whole is None and (is_order or orders(node)) else whole
        if orders(node):
            return call
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _VIEWS:
            return self._whole(call.of(node.func.value), loop, depth + 1) or self._of_path(call, node)
        for leaf in self.names.callee(call):
            is_generator = isinstance(leaf, Defined) and leaf.scope.is_generator and self.names.is_own(leaf.scope)
            if isinstance(leaf, Defined) and is_generator:
                inner = self.of_function(leaf.scope, depth + 1)
                return inner[0].whole if inner else None
        return None

    def _of_path(self, call: Expression, node: cst.Call) -> Expression | None:
        """`path.glob(...)` and `file.readlines()` give all there is, whatever the path or file."""
        return call if last_name(node) in ("glob", "rglob", "iterdir", "readlines") else None

    def _opens_each(self, loop: cst.For) -> bool:
        """Whether the body opens what the loop gives: then it goes through files, and not through another stream."""
        targets = set(identifiers(below(loop.target)))
        for node in below(loop.body):
            expression = self._call_at.get(id(node)) if isinstance(node, cst.Call) else None
            if expression is None or not isinstance(node, cst.Call):
                continue
            given = {name for arg in node.args for name in identifiers(below(arg.value))}
            if targets & given and (self.names.callee_name(expression) in _OPENERS or self._is_reader(expression)):
                return True
        return False

    def _is_reader(self, call: Expression) -> bool:
        """Whether a generator of this file is called that opens what it is given: `yield from self.read(path)`."""
        callees = [leaf.scope for leaf in self.names.callee(call) if isinstance(leaf, Defined)]
        return any(
            self.names.callee_name(inner) in _OPENERS
            and not {p.name for p in scope.parameters}.isdisjoint(identifiers(below(inner.node)))
            for scope in callees
            if scope.is_generator and self.names.is_own(scope)
            for inner in self.names.calls_in(scope)
        )

    @cached_property
    def _call_at(self) -> dict[int, Expression]:
        return {id(call.node): call for call in self.names.file.calls}

    def _is_indexed(self, expression: Expression) -> bool:
        """Whether the class takes items of an attribute by their index: it holds all of them, then."""
        node, function = expression.node, expression.spot.scope.function
        owner = function.owner if function is not None else None
        if not isinstance(node, cst.Attribute) or owner is None:
            return False
        subscripts = (n for n in below(owner.node) if isinstance(n, cst.Subscript))
        return any(isinstance(s.value, cst.Attribute) and s.value.deep_equals(node) for s in subscripts)
