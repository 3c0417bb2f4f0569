"""Another file of the same project: of it only those statements are read that somebody asks about."""

from __future__ import annotations

from pathlib import Path

import libcst as cst

from flake8_torchloader.disk import Stamp, content, digest, stamp, tell
from flake8_torchloader.reading.limits import limit_in
from flake8_torchloader.reading.project.outline import Outline, outline
from flake8_torchloader.reading.project.skeleton import parsed
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, Scope, ScopeKind
from flake8_torchloader.reading.tree.walk import Step, walk
from flake8_torchloader.reading.tree.writing import Written
from flake8_torchloader.source_text import decoded

_MOST_KEPT = 2000
"""How many files are kept in memory."""

_STATEMENTS = 1 << 20
"""More statements than a piece of a file has, so that pieces read out of turn keep the order of the text."""

_KEPT: dict[Path, tuple[Stamp, str, "OtherFile | None"]] = {}
"""What was read of a file: when it had which stamp, the digest of its content, and the file if it could be read."""


class OtherFile(Collector):
    """A file that is read piece by piece, each name when it is first looked up; it has no findings.

    What is known of a name does not depend on what was asked before.
    """

    def __init__(self, path: Path, text: str, shape: Outline) -> None:
        super().__init__(cst.Module(body=[]))
        self.path = path
        self.text = text
        self.outline = shape
        self.scope.bindings = _OnDemand(self)
        self.scope.stars += shape.stars
        self._lines = text.split("\n")
        self._read: set[int] = set()
        self._is_reading = False
        self._piece = 0
        self._modules: dict[int, cst.Module] = {}
        self._named_here: dict[str, Named] = {}

    def definition(self, name: str) -> Scope | None:
        """The function or class that a name of the top level always is; it is read when more is asked of it."""
        if name not in self.outline.defined:
            return None
        if name not in self._named_here:
            kind = ScopeKind.CLASS if self.outline.defined[name] else ScopeKind.FUNCTION
            self._named_here[name] = Named(self, kind, name)
        return self._named_here[name]

    def _named(self, kind: ScopeKind, name: str, node: cst.CSTNode) -> Scope:
        known = self.definition(name) if self._spot.scope is self.scope else None
        if known is None:
            return super()._named(kind, name, node)
        Scope.__init__(known, kind, name, node, self.scope, self._spot)
        return known

    def read(self, name: str) -> None:
        """Read the statements that bind a name of the top level."""
        if self._is_reading:
            return
        self._is_reading = True
        try:
            for piece in self.outline.bound.get(name, ()):
                if piece not in self._read:
                    self._read.add(piece)
                    self._read_piece(piece)
        finally:
            self._is_reading = False

    def look_into(self, scope: Scope) -> None:
        """Read a function or class of the top level, unless it was read; whatever is inside one was read with it."""
        if isinstance(scope, Named):
            scope.look()

    def calls_named(self, name: str) -> list[Expression]:
        """The calls of whatever has this last name, anywhere in the file."""
        for piece, (first, last) in enumerate(self.outline.pieces) if name in self.text else ():
            if name in "\n".join(self._lines[first - 1 : last]) and piece not in self._read:
                self._read.add(piece)
                self._read_piece(piece)
        return [call for call in self.calls if last_name(call.node) == name]

    def line(self, expression: Expression) -> int:
        """The line on which an expression of this file begins, that of its statement if it can't be told."""
        piece = expression.spot.top
        first = self.outline.pieces[piece][0]
        try:
            return first - 1 + Written(self._modules[piece]).stretches[id(expression.node)][0]
        except (RecursionError, KeyError):
            return first

    def _read_piece(self, piece: int) -> None:
        first, last = self.outline.pieces[piece]
        self._piece, top = piece, self._spot
        text = "\n".join(self._lines[first - 1 : last]) + "\n"
        try:
            if limit_in(parsed(text), text) is not None:
                return
            self._modules[piece] = cst.parse_module(text)
            walk(self._modules[piece], self)
        except Exception:
            self._spot = top  # what libcst can't read stays unknown
            self._outer.clear()
        for bindings in self.scope.bindings.values():
            bindings.sort(key=_order)

    def visit_Module(self, node: cst.Module) -> list[Step]:
        """The statements of one piece."""
        return [self._begin(self._piece), *node.body]

    def _begin(self, top: int) -> Step:
        def begin() -> None:
            self._order = top * _STATEMENTS
            self._next(top)

        return begin

    def _end_block(self) -> None:
        """What leaves the top level early ends the importing program as well: nothing follows from it."""
        if self._spot.block.parent is not None:
            super()._end_block()


class Named(Scope):
    """A function or class of another file of which no more is known than its name, until it is looked into."""

    __slots__ = ("file",)

    def __init__(self, file: OtherFile, kind: ScopeKind, name: str) -> None:
        self.file, self.kind, self.name, self.parent = file, kind, name, file.scope
        if kind is ScopeKind.FUNCTION:
            self.bases = ()  # whoever asks whether a loader's class is called asks for these of all that is

    def __getattr__(self, name: str) -> object:
        """Read the function or class, and ask again."""
        if name not in Scope.__slots__:
            raise AttributeError(name)
        self.look()
        return getattr(self, name)

    def look(self) -> None:
        """Read it, if it was not read before; what can't be read has nothing in it."""
        if not self._is_read:
            self.file.read(self.name)
        if not self._is_read:
            Scope.__init__(self, self.kind, self.name, self.file.scope.node, self.file.scope)

    @property
    def _is_read(self) -> bool:
        try:
            object.__getattribute__(self, "node")
        except AttributeError:
            return False
        return True


class _OnDemand(dict[str, list[Binding]]):
    """The names of a top level, which are read when they are asked for."""

    def __init__(self, file: OtherFile) -> None:
        super().__init__()
        self._file = file

    def __contains__(self, name: object) -> bool:
        self._file.read(str(name))
        return super().__contains__(name)


def _order(binding: Binding) -> int:
    return binding.spot.order


def other_file(path: Path) -> OtherFile | None:
    """A file by its absolute path, None if it can't be read; each is read once, until it changes."""
    now = stamp(path)
    kept = _KEPT.get(path)
    if kept is None or kept[0] != now:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        found = content(str(path))
        _KEPT[path] = kept = (now, "", None) if found is None else (now, digest(found), _opened(path, found))
    _, known, file = kept
    tell("content", str(path), known)
    return file


def _opened(path: Path, found: bytes) -> OtherFile | None:
    try:
        text = decoded(found)
        return OtherFile(path, text, outline(text))
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return None
