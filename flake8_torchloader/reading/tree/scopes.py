"""The scopes of a file and what each name in them is bound to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import libcst as cst

_MOST_ADDED = 64
"""How many lines that put something into a container are looked at."""

_NEAREST = 8
"""How many later bindings are asked whether they replace one, the nearest."""


class ScopeKind(Enum):
    """The kinds of scope; a comprehension runs where it stands, a lambda where it is called."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    LAMBDA = "lambda"
    COMPREHENSION = "comprehension"


class Running(Enum):
    """Whether the statements of a block run whenever the code around them does."""

    ALWAYS = "as the code around it"
    GUARDED = "only in the main program"
    NEVER = "dead code"


@dataclass(eq=False, slots=True)
class Block:
    """A run of statements: the body of a scope, or a branch or loop inside it.

    `test` decides on the body of an `if`; `loop` is the loop that this is the body of.
    """

    scope: Scope
    parent: Block | None
    running: Running
    test: cst.CSTNode | None = None
    loop: Expression | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the block runs whenever its scope does, or whenever the file is the main program."""
        outer = self.parent
        if outer is None or outer.scope is not self.scope:
            return True
        return self.running is Running.GUARDED and outer.is_certain

    def encloses(self, other: Block) -> bool:
        """Whether the other block is this one or lies within it."""
        block: Block | None = other
        while block is not None and block is not self:
            block = block.parent
        return block is self


@dataclass(eq=False, slots=True)
class Spot:
    """Where a statement stands; `top` is the module-level statement that holds it."""

    scope: Scope
    block: Block
    order: int
    running: Running
    top: int


@dataclass(slots=True)
class Expression:
    """A node together with where it stands: all that is needed to say what it may be.

    `frame` is the call through which this file came to a line of another one; a line of its own has none.
    """

    node: cst.CSTNode
    spot: Spot = field(compare=False)
    frame: Frame | None = field(default=None, repr=False)

    def __hash__(self) -> int:
        return id(self.node)  # nodes are equal to themselves alone

    def of(self, node: cst.CSTNode) -> Expression:
        """Another node of the same statement and scope."""
        return Expression(node, self.spot, self.frame)

    def within(self, frame: Frame | None) -> Expression:
        """The same, as it is in one run of the function that it stands in."""
        if frame is None or self.frame is not None or frame.function not in self.spot.scope.around():
            return self
        return Expression(self.node, self.spot, frame)


@dataclass(eq=False, slots=True)
class Frame:
    """One run of another file's function: the call that starts it; `bound` as in a `CallSite`.

    `receiver` is the object whose method runs, or the call itself. `depth` counts the frames around it, and this one.
    """

    function: Scope
    call: Expression
    receiver: Expression
    bound: bool
    depth: int


class How(Enum):
    """The ways in which a name gets its value."""

    IMPORT = "import"
    DEFINITION = "def or class"
    VALUE = "assignment"
    ADDED = "element put into what the name already holds"
    ELEMENT = "loop over the value"
    PARAMETER = "parameter"
    OTHER = "something not followed"


@dataclass(eq=False, slots=True)
class Binding:
    """One way in which a name got its value; `path` leads into an unpacked tuple, of `count` parts unless that is 0."""

    how: How
    spot: Spot
    value: Expression | None = None
    path: tuple[int, ...] = ()
    target: Scope | None = None
    name: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: `star` is `*`, `**` or empty; `position` counts from 0, None if keyword-only."""

    name: str
    position: int | None
    default: Expression | None
    star: str = ""


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class, function, lambda or comprehension, with what is bound, returned and yielded from in it."""

    kind: ScopeKind
    name: str
    node: cst.CSTNode
    parent: Scope | None
    spot: Spot | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    bases: tuple[Expression, ...] = ()
    decorators: tuple[Expression, ...] = ()
    returns: list[Expression] = field(default_factory=list)
    delegates: list[Expression] = field(default_factory=list)
    outer_names: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    is_generator: bool = False

    @property
    def module(self) -> Scope:
        """The scope of the file itself."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def around(self) -> Iterator[Scope]:
        """This scope and the ones that enclose it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def function(self) -> Scope | None:
        """The innermost function or lambda whose code this is, if any."""
        scope: Scope | None = self
        while scope is not None and scope.kind is not ScopeKind.FUNCTION and scope.kind is not ScopeKind.LAMBDA:
            scope = scope.parent
        return scope

    @property
    def owner(self) -> Scope | None:
        """The class of which this function is a method, if it is one."""
        is_method = self.kind is ScopeKind.FUNCTION and self.parent and self.parent.kind is ScopeKind.CLASS
        return self.parent if is_method else None

    @property
    def is_local(self) -> bool:
        """Whether this function or class is defined inside a function, so that no name leads to it."""
        return self.parent is not None and self.parent.function is not None

    @property
    def receiver(self) -> str | None:
        """The name under which a method knows its own object: usually `self`."""
        if self.owner is None or self._is_decorated("staticmethod") or not self.parameters:
            return None
        return self.parameters[0].name

    def _is_decorated(self, name: str) -> bool:
        return any(isinstance(d.node, cst.Name) and d.node.value == name for d in self.decorators)

    @property
    def is_class_method(self) -> bool:
        """Whether the first parameter of a method is the class."""
        return self._is_decorated("classmethod")

    @property
    def is_property(self) -> bool:
        """Whether a method is read like an attribute."""
        return self._is_decorated("property") or self._is_decorated("cached_property")

    def method(self, name: str) -> Scope | None:
        """The method that the class itself defines under this name, if there is one."""
        found = [b.target for b in self.bindings.get(name, ()) if b.target is not None]
        return found[-1] if found and found[-1].kind is ScopeKind.FUNCTION else None

    def methods(self) -> Iterator[Scope]:
        """Every method that the class itself defines."""
        for bindings in self.bindings.values():
            for binding in bindings:
                if binding.target is not None and binding.target.kind is ScopeKind.FUNCTION:
                    yield binding.target

    def forget(self) -> None:
        """Let go of all that leads back to this scope."""
        self.spot = None
        self.bindings, self.attributes = {}, {}
        self.parameters, self.bases, self.decorators = (), (), ()
        self.returns, self.delegates = [], []

    def bind(self, name: str, binding: Binding) -> None:
        """Note one more way in which a name of this scope gets a value."""
        self.bindings.setdefault(name, []).append(binding)

    def find(self, name: str) -> tuple[Scope, list[Binding]]:
        """The scope that a name used here belongs to, by Python's rules, and its bindings there."""
        scope = self
        while True:
            is_hidden = scope.kind is ScopeKind.CLASS and scope is not self
            if not is_hidden and name in scope.bindings and name not in scope.outer_names:
                return scope, scope.bindings[name]
            if scope.parent is None:
                return scope, []
            scope = scope.parent


def reaching(name: str, spot: Spot) -> list[Binding]:
    """The bindings that a name used at a spot may have there.

    In the scope of the use itself, later bindings do not count and a binding that every path
    passes hides the earlier ones; those of the other branch of an `if` don't count either. From an
    inner scope all bindings count. Of what is put into a container one by one, the last few count.
    """
    scope, bindings = spot.scope.find(name)
    home = spot.scope
    while home.kind is ScopeKind.COMPREHENSION and home.parent is not None:
        home = home.parent
    if scope is not home:
        return bindings
    earlier = bisect_left(bindings, spot.order, key=lambda binding: binding.spot.order)
    found: list[Binding] = []
    added = 0
    for index in reversed(range(earlier or len(bindings))):
        binding = bindings[index]
        is_added = binding.how is How.ADDED
        added += is_added
        if not is_added or added <= _MOST_ADDED:
            found.append(binding)
        if not is_added and binding.spot.block.encloses(spot.block):
            break
    return _on_the_way(found[::-1], spot) if len(found) > 1 else found


def _on_the_way(bindings: list[Binding], spot: Spot) -> list[Binding]:
    """Those that don't stand in the other branch of an `if` that leads to a spot, unless a loop runs that again."""
    branches: dict[int, Block] = {}
    block: Block | None = spot.block
    while block is not None and block.scope is spot.block.scope:
        if block.loop is not None:
            branches.clear()
        elif block.test is not None:
            branches[id(block.test)] = block
        block = block.parent
    return [b for b in bindings if not _is_aside(b.spot.block, branches)] or bindings if branches else bindings


def _is_aside(block: Block | None, branches: dict[int, Block]) -> bool:
    while block is not None:
        if branches.get(id(block.test), block) is not block:
            return True
        block = block.parent
    return False


def lasting(bindings: list[Binding]) -> list[Binding]:
    """The bindings of an attribute that no later one in the same method replaces or deletes."""
    found: list[Binding] = []
    for binding in reversed(bindings):
        ends = [b for b in found if b.how in (How.VALUE, How.OTHER)]
        if not any(_replaces(later, binding) for later in ends[-_NEAREST:]):
            found.append(binding)
    return found[::-1]


def _replaces(later: Binding, earlier: Binding) -> bool:
    same_function = later.spot.scope.function is earlier.spot.scope.function
    is_later = later.spot.order > earlier.spot.order
    return same_function and is_later and later.spot.block.encloses(earlier.spot.block)
