"""Questions about what expressions may be: how far each may lead, and what is known from those before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Imported, Leaf, Literal, Opaque
from flake8_torchloader.reading.project.files import Files
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.scopes import Expression, Frame

_DEEPEST = 24
"""How many steps a value is followed before it counts as unknown."""

_FUEL = 800
"""How many expressions one question may look at, which keeps tangled code linear."""

_FOLLOWED = {
    cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.IfExp, cst.BooleanOperation, cst.NamedExpr, cst.Await,
}  # fmt: skip
"""The kinds of node that lead to something else; all others stand for themselves."""


class Questions(Files, ABC):
    """Asks what the expressions of one file may be; `cuts` counts the answers that were cut short.

    `is_apart` says that all calls of the file are being looked for: their arguments are not known yet.
    """

    def __init__(self, file: Collector) -> None:
        super().__init__(file)
        self.cuts = 0
        self.is_apart = False
        self._known: dict[tuple[int, Frame | None], list[Leaf]] = {}
        self._called: dict[tuple[int, Frame | None], str] = {}
        self._partly_known: dict[tuple[int, Frame | None], list[Leaf]] = {}
        self._asked: set[tuple[int, Frame | None]] = set()
        self._fuel = _FUEL

    @abstractmethod
    def _follow(self, expression: Expression) -> Iterable[Leaf]:
        """Take one step: what an expression may be, by what its parts may be."""

    def sources(self, expression: Expression) -> list[Leaf]:
        """All that an expression may be; empty only for a value that depends on itself."""
        node = expression.node
        key = (id(node), expression.frame)
        found: list[Leaf]
        known = self._known.get(key)
        if known is not None:
            return known
        if type(node) not in _FOLLOWED:
            self._known[key] = found = [Literal(expression)]
            return found
        if not self._asked and not self.is_apart:
            self._climb(expression)
        if not self._asked:
            self._fuel = _FUEL
            self._partly_known.clear()
        elif key in self._partly_known:
            self.cuts += 1
            return self._partly_known[key]
        self._fuel -= 1
        if key in self._asked or len(self._asked) >= _DEEPEST or self._fuel < 0:
            self.cuts += 1
            return [] if key in self._asked else [Opaque()]
        cuts = self.cuts
        self._asked.add(key)
        try:
            found = list(self._follow(expression))
        finally:
            self._asked.discard(key)
        if len(found) > 1:
            found = list(dict.fromkeys(found))
        if cuts == self.cuts or (not self._asked and not self.is_apart):
            self._known[key] = found
        else:
            self._partly_known[key] = found  # it is looked for again by the next question, but not by this one
        return found

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Ask as if no other question were being answered: what is found out for good must not depend on that."""
        outer = self._asked, self._partly_known, self._fuel
        self._asked, self._partly_known, self.is_apart = set(), {}, True
        try:
            yield
        finally:
            self._asked, self._partly_known, self._fuel = outer
            self.is_apart = False

    def _climb(self, expression: Expression) -> None:
        """Ask about a chain such as `a.b().c()` from its beginning: from its end, a long one is cut again and again."""
        links: list[cst.CSTNode] = []
        node = expression.node
        while True:
            if type(node) is cst.Attribute:
                node = node.value
            elif type(node) is cst.Call:
                node = node.func
            else:
                break
            if (id(node), expression.frame) in self._known:
                break
            links.append(node)
        for link in reversed(links[_DEEPEST // 2 :]):
            self.sources(expression.of(link))

    def imported(self, expression: Expression) -> list[str]:
        """The full names of the imported things that an expression may be."""
        return [leaf.name for leaf in self.sources(expression) if isinstance(leaf, Imported)]

    def name_of(self, expression: Expression) -> str:
        """The one imported name that an expression is, or empty."""
        leaves = self.sources(expression)
        only = leaves[0] if len(leaves) == 1 else None
        return only.name if isinstance(only, Imported) else ""

    def callee(self, call: Expression) -> list[Leaf]:
        """What a call calls."""
        if type(call.node) is not cst.Call:
            return []
        func = call.node.func
        known = self._known.get((id(func), call.frame))
        return self.sources(call.of(func)) if known is None else known

    def callee_name(self, call: Expression) -> str:
        """The one imported name that a call calls, or empty."""
        name = self._called.get((id(call.node), call.frame))
        if name is None and isinstance(call.node, cst.Call):
            func = call.of(call.node.func)
            name = self.name_of(func)
            if (id(func.node), func.frame) in self._known:
                self._called[id(call.node), call.frame] = name
        return name or ""
