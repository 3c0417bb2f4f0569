"""Who calls the functions of a file, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Defined, Leaf, Object, Opaque
from flake8_torchloader.reading.tree.scopes import Expression, Frame, Parameter, Scope, ScopeKind

if TYPE_CHECKING:
    from flake8_torchloader.reading.flow.names import Names


_DEEPEST = 6
"""How many calls of other files' functions are followed one into the next."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of a function; `bound` if its first parameter is filled by the object.

    `is_partial` says that it is a `functools.partial` of the function, which leaves the rest to whoever calls that.
    """

    call: Expression
    bound: bool
    is_partial: bool = False


class CallSites:
    """Knows every call in one file of the file's own functions.

    While the calls are being looked for, a parameter is unknown. Of another file's function only the one call counts
    through which it was come to: the `Frame`.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self._sites: dict[Scope, list[CallSite]] | None = None
        self._frames: dict[tuple[Scope, int, Frame | None], Frame] = {}

    def frame(self, function: Scope, call: Expression, receiver: Expression | None = None) -> Frame | None:
        """The run of another file's function that a call starts; None for this file's own, and for one too deep.

        `receiver` is the object whose method it is, where that doesn't stand before the dot.
        """
        depth = 1 if call.frame is None else call.frame.depth + 1
        if depth > _DEEPEST or self.names.is_own(function):
            return None
        key = (function, id(call.node), call.frame)
        if key not in self._frames:
            func = call.node.func if isinstance(call.node, cst.Call) else None
            if receiver is None and isinstance(func, cst.Attribute) and function.name != "__init__":
                receiver = call.of(func.value)
            is_bound = function.receiver is not None and (receiver is not None or function.name == "__init__")
            self._frames[key] = Frame(function, call, receiver or call, is_bound, depth)
        return self._frames[key]

    def sites(self, function: Scope, frame: Frame | None = None) -> list[CallSite]:
        """Every call in this file of a function of this file, or the one call of another file's function."""
        if not self.names.is_own(function):
            return [CallSite(frame.call, frame.bound)] if frame is not None and frame.function is function else []
        if self._sites is None:
            with self.names.apart():
                self._sites = self._search()
        return self._sites.get(function, [])

    def _search(self) -> dict[Scope, list[CallSite]]:
        sites: dict[Scope, list[CallSite]] = {}
        for call in self.names.file.calls:
            for target, bound in self.targets(call, only_own=True):
                sites.setdefault(target, []).append(CallSite(call, bound))
            for target in self._made_partial(call):
                sites.setdefault(target, []).append(CallSite(call, bound=False, is_partial=True))
        return sites

    def _made_partial(self, call: Expression) -> Iterator[Scope]:
        """The plain functions of this file that are the first argument of `functools.partial`."""
        first = call.node.args[:1] if isinstance(call.node, cst.Call) else ()
        if not first or self.names.callee_name(call) != "functools.partial":
            return
        for leaf in self.names.sources(call.of(first[0].value)):
            if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.FUNCTION and leaf.scope.owner is None:
                yield leaf.scope

    def targets(self, call: Expression, *, only_own: bool = False) -> Iterator[tuple[Scope, bool]]:
        """The functions of the project, or only of this file, that a call runs; whether an object fills a parameter."""
        node = call.node
        through_object = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        for leaf in self.names.callee(call):
            if only_own and isinstance(leaf, Defined) and not self.names.is_own(leaf.scope):
                continue
            instance = self.names.instance_of(leaf)
            if isinstance(leaf, Defined) and leaf.scope.kind is ScopeKind.CLASS:
                for name in ("__init__", "__post_init__"):
                    method = self.names.method(leaf.scope, name)
                    if method is not None:
                        yield method, True
            elif isinstance(leaf, Defined):
                yield leaf.scope, through_object and leaf.scope.receiver is not None
            elif instance is not None:
                for name in ("__call__", "forward"):
                    method = self.names.method(instance, name)
                    if method is not None:
                        yield method, True

    def parameter(self, function: Scope, name: str, frame: Frame | None = None) -> Iterator[Leaf]:
        """What a parameter may be: what the calls give, and its default where there is none."""
        parameter = next(p for p in function.parameters if p.name == name)
        if name == function.receiver and function.owner is not None:
            yield from self._receiver(function, function.owner, frame)
            return
        if parameter.star or self.names.is_apart:
            self.names.cuts += self.names.is_apart
            yield Opaque()
            return
        sites = self.sites(function, frame)
        given = [self.given(site, parameter) for site in sites]
        for argument in given:
            yield from self.names.sources(argument) if argument is not None else [Opaque()]
        if not sites:
            if parameter.default is not None:
                yield from self.names.sources(parameter.default)
            yield Opaque()

    def _receiver(self, function: Scope, owner: Scope, frame: Frame | None) -> list[Leaf]:
        """What a method knows as its own object: the very one, where the call that runs it is known."""
        if function.is_class_method:
            return [Defined(owner)]
        is_known = frame is not None and frame.function is function and frame.bound
        leaves = self.names.sources(frame.receiver) if frame is not None and is_known else []
        return [leaf for leaf in leaves if self.names.instance_of(leaf) is not None] or [Object(owner)]

    def given(self, site: CallSite, parameter: Parameter) -> Expression | None:
        """The argument that fills a parameter at one call; its default where there is none."""
        node = site.call.node
        if not isinstance(node, cst.Call):
            return None
        position = 0
        wanted = None if parameter.position is None else parameter.position - site.bound + site.is_partial
        for arg in node.args:
            if arg.star:
                return None
            if arg.keyword is not None and arg.keyword.value == parameter.name:
                return site.call.of(arg.value)
            if arg.keyword is None and position == wanted:
                return site.call.of(arg.value)
            position += arg.keyword is None
        return None if site.is_partial else parameter.default
