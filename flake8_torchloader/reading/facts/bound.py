"""What the datasets of a file keep that belongs to the process which made it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.kept import Bound, BoundKind
from flake8_torchloader.reading.facts.bound_makers import BOUND
from flake8_torchloader.reading.facts.keepsakes import Keepsake, KeepsakeReader
from flake8_torchloader.reading.facts.openers import PATHS
from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.start_method import PICKLING_METHODS

_OPENCV_OBJECT = re.compile(r"cv2\.(create\w+|\w+_create|\w+\.create)")
_MODULES = {"matplotlib.pyplot", "os.path", "torch.nn", "torch.nn.functional", "torchvision.transforms", "PIL.Image"}
_STREAMS = {"sys.stdout", "sys.stderr", "sys.stdin"}
_LONG = 20
"""Characters from which on a full name is too long for a message."""

_PATH_GENERATORS = {"glob", "rglob", "iterdir"}


class BoundReader:
    """Finds what the datasets of one file keep of their process."""

    def __init__(self, names: Names, keepsakes: KeepsakeReader) -> None:
        self.names = names
        self.keepsakes = keepsakes

    def read(self) -> Iterator[Bound]:
        """Every such thing once, however many attributes lead to it."""
        seen: set[object] = set()
        for keepsake in self.keepsakes.all:
            found = self._bound(keepsake.leaf)
            made = keepsake.leaf.expression if isinstance(keepsake.leaf, Literal) else keepsake.value
            methods = keepsake.dataset.methods & PICKLING_METHODS
            if found is None or not methods or id(made.node) in seen or self._is_left_behind(keepsake):
                continue
            seen.add(id(made.node))
            yield Bound(
                site=keepsake.value,
                kind=found[0],
                what=found[1],
                attribute=f"self.{keepsake.attribute}",
                made=keepsake.made_at(made),
                kept=keepsake.kept,
                methods=methods,
                loaders=keepsake.dataset.sites,
            )

    def _is_left_behind(self, keepsake: Keepsake) -> bool:
        """Whether the dataset says itself what is sent of it, or no worker is sent any."""
        dataset = keepsake.dataset
        return self.names.chooses_state(dataset.scope) or self.keepsakes.datasets.is_left_idle(dataset)

    def _bound(self, leaf: Leaf) -> tuple[BoundKind, str] | None:
        """What kind of thing a leaf is, and what a message calls it."""
        match leaf:
            case Imported(name=name) if name in _STREAMS:
                return BoundKind.WRITER, name
            case Imported(name=name) if "." not in name or name in _MODULES:
                return BoundKind.MODULE, f"the module {name}"
            case Literal(expression=at) if isinstance(at.node, cst.GeneratorExp):
                return BoundKind.GENERATOR, "a generator"
            case Literal(expression=at) if isinstance(at.node, cst.Call):
                return self._call(at, at.node)
        return None

    def _call(self, call: Expression, node: cst.Call) -> tuple[BoundKind, str] | None:
        name = self.names.callee_name(call) or self._library_base(Literal(call))
        kind = BoundKind.NATIVE if _OPENCV_OBJECT.fullmatch(name) else BOUND.get(name)
        if kind is not None:
            return kind, f"{name if len(name) < _LONG else name.rpartition('.')[2]}()"
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "manual_seed":
            found = (self._bound(leaf) for leaf in self.names.sources(call.of(node.func.value)))
            return next((one for one in found if one is not None and one[0] is BoundKind.RANDOM), None)
        if name == "collections.defaultdict" and node.args:
            factory = self._nameless(call.of(node.args[0].value))
            return (BoundKind.FACTORY, f"defaultdict({factory})") if factory else None
        return (BoundKind.GENERATOR, "a generator") if self._makes_generator(call, node) else None

    def _library_base(self, leaf: Literal) -> str:
        """The library's class of which an object of this file's class is one as well."""
        scope = self.names.instance_of(leaf)
        bases = self.names.base_names(scope) if scope is not None and not self.names.chooses_state(scope) else []
        return next((name for name in bases if name in BOUND), "")

    def _nameless(self, factory: Expression) -> str:
        """What a factory is if no name leads to it."""
        for leaf in self.names.sources(factory):
            if isinstance(leaf, Literal) and isinstance(leaf.node, cst.Lambda):
                return "lambda"
            if isinstance(leaf, Defined) and leaf.scope.is_local:
                return leaf.scope.name
        return ""

    def _makes_generator(self, call: Expression, node: cst.Call) -> bool:
        """A call of a function of this file that yields, or of a method of a path that goes through a folder."""
        callees = self.names.callee(call)
        if callees and all(isinstance(c, Defined) and c.scope.is_generator and not c.scope.decorators for c in callees):
            return True
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in _PATH_GENERATORS:
            return False
        bases = self.names.sources(call.of(node.func.value))
        return any(isinstance(base, Literal) and self.names.callee_name(base.expression) in PATHS for base in bases)
