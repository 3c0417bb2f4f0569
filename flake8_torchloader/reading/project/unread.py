"""Functions and classes of another file: what is seen of them from outside is known, the rest when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from flake8_torchloader.reading.project.methods import ANY, Body
from flake8_torchloader.reading.tree.scopes import Binding, Expression, Scope, ScopeKind, Spot

if TYPE_CHECKING:
    from flake8_torchloader.reading.project.other_file import OtherFile

_GIVEN = ("returns", "delegates", "is_generator")


class Named(Scope):
    """A function or class of the top level, by its name; the methods of a class are read one by one."""

    __slots__ = ("file", "unread")

    def __init__(self, file: OtherFile, kind: ScopeKind, name: str) -> None:
        self.file, self.kind, self.name, self.parent = file, kind, name, file.scope
        self.unread: list[Method] = []
        if kind is ScopeKind.FUNCTION:
            self.bases = ()  # whoever asks whether a loader's class is called asks for these of all that is

    def __getattr__(self, name: str) -> object:
        """Read the function or class, and ask again."""
        if name not in Scope.__slots__:
            raise AttributeError(name)
        self.look()
        if self.unread and name == "node":
            self.node = self.file.whole(self)
        return object.__getattribute__(self, name)

    def look(self) -> None:
        """Read it, if it was not read before; what can't be read has nothing in it."""
        if not self._is_read:
            self.file.read(self.name)
        if not self._is_read:
            Scope.__init__(self, self.kind, self.name, self.file.scope.node, self.file.scope)

    @property
    def _is_read(self) -> bool:
        try:
            object.__getattribute__(self, "spot")
        except AttributeError:
            return False
        return True

    def leave_out(self, methods: list[Method]) -> None:
        """Note which methods were not read with the class."""
        self.unread = sorted(methods, key=lambda method: method.body.first)
        if methods:
            self.attributes = Attributes(self.attributes, self.unread)
            del self.node


class Attributes(dict[str, list[Binding]]):
    """What the methods of a class set on its objects: those that set an attribute are read when it is asked for."""

    def __init__(self, known: dict[str, list[Binding]], methods: list[Method]) -> None:
        super().__init__(known)
        self._methods = methods
        self._asked: set[str] = set()
        self._is_whole = False

    def __getitem__(self, name: str) -> list[Binding]:
        self._ask(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._ask(name)
        return super().get(name, default)

    def values(self) -> Any:
        self._ask_all()
        return super().values()

    def items(self) -> Any:
        self._ask_all()
        return super().items()

    def _ask(self, name: str) -> None:
        if name in self._asked or self._is_whole:
            return
        self._asked.add(name)
        for method in self._methods:
            if name in method.body.sets or ANY in method.body.sets:
                method.look()
        super().get(name, []).sort(key=order)

    def _ask_all(self) -> None:
        """Read all that sets anything; what is known of an attribute doesn't depend on what was asked before."""
        if self._is_whole:
            return
        self._is_whole = True
        for method in self._methods:
            if method.body.sets:
                method.look()
        for bindings in super().values():
            bindings.sort(key=order)
        found = sorted(super().items(), key=lambda item: order(item[1][0]))
        self.clear()
        self.update(found)


class Method(Scope):
    """A method of such a class: its header is known, what is in it is read when somebody asks."""

    __slots__ = ("file", "body", "header", "block", "is_read")

    def __init__(self, file: OtherFile, body: Body, header: cst.FunctionDef, spot: Spot) -> None:
        Scope.__init__(self, ScopeKind.FUNCTION, header.name.value, header, spot.scope, spot)
        self.file, self.body, self.header = file, body, header
        self.block: cst.BaseSuite = header.body
        self.is_read = False
        del self.node
        if body.gives:
            del self.returns, self.delegates, self.is_generator

    def __getattr__(self, name: str) -> object:
        """Read the method, and ask again."""
        if name not in ("node", *_GIVEN):
            raise AttributeError(name)
        self.look()
        if name == "node":
            self.node = self.header.with_changes(body=self.block)
        return object.__getattribute__(self, name)

    def look(self) -> None:
        """Read it, if it was not read before."""
        if not self.is_read:
            self.is_read = True
            if self.body.gives:
                self.returns, self.delegates, self.is_generator = [], [], False
            self.file.read_body(self)


def order(one: Binding | Expression) -> int:
    """Where in the order of a file's text a binding or an expression stands."""
    return one.spot.order
