"""Another file of the same project: of it only those statements are read that somebody asks about."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst

from flake8_torchloader.disk import Stamp, content, digest, stamp, tell
from flake8_torchloader.reading.limits import limit_in
from flake8_torchloader.reading.project.methods import Body, bodies, left_out
from flake8_torchloader.reading.project.outline import Outline, outline
from flake8_torchloader.reading.project.skeleton import parsed
from flake8_torchloader.reading.project.unread import Method, Named, order
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Block, Expression, How, Running, Scope, ScopeKind, Spot
from flake8_torchloader.reading.tree.syntax import walked
from flake8_torchloader.reading.tree.walk import Step, walk
from flake8_torchloader.reading.tree.writing import Written
from flake8_torchloader.source_text import decoded

_MOST_KEPT = 2000
"""How many files are kept in memory."""

_STATEMENTS = 1 << 30
"""More statements than a piece of a file has, so that pieces read out of turn keep the order of the text."""

_STATEMENTS_OF_LINE = 64
"""More statements than a line has, as a rule."""

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
        self.scope.bindings = self._bound = _OnDemand(self)
        self._block = self._spot.block
        self.scope.stars += shape.stars
        self._lines = text.split("\n")
        self._read: set[int] = set()
        self._is_reading = False
        self._piece = 0
        self._parts: dict[int, list[tuple[int, cst.Module]]] = {}
        self._bodies: dict[int, Body] = {}
        self._named_here: dict[str, Named] = {}

    def definition(self, name: str) -> Scope | None:
        """The function or class that a name of the top level always is; it is read when more is asked of it."""
        if name not in self.outline.defined:
            return None
        if name not in self._named_here:
            kind = ScopeKind.CLASS if self.outline.defined[name] else ScopeKind.FUNCTION
            self._named_here[name] = Named(self, kind, name)
        return self._named_here[name]

    def bind(self, name: str) -> None:
        """Bind a name of the top level: what always is one function or class is not read for that."""
        definition = self.definition(name)
        if definition is None:
            self.read(name)
        elif not self._bound.is_known(name):
            piece = self.outline.bound[name][0]
            spot = Spot(self.scope, self._block, piece * _STATEMENTS + 1, Running.ALWAYS, piece)
            self.scope.bind(name, Binding(How.DEFINITION, spot, target=definition))

    def _named(self, kind: ScopeKind, name: str, node: cst.CSTNode) -> Scope:
        if id(node) in self._bodies and isinstance(node, cst.FunctionDef):
            return self._method(node, self._bodies[id(node)])
        known = self.definition(name) if self._spot.scope is self.scope else None
        if known is None:
            return super()._named(kind, name, node)
        Scope.__init__(known, kind, name, node, self.scope, self._spot)
        return known

    def _method(self, node: cst.FunctionDef, body: Body) -> Scope:
        """A method, which is given its place in the order of the text now: its body may be read at any time."""
        self._order = max(self._order, self._begins(self._piece, body))
        name = node.name.value
        return Method(self, body, node, self._spot) if body.is_apart else super()._named(ScopeKind.FUNCTION, name, node)

    @staticmethod
    def _begins(piece: int, body: Body) -> int:
        return piece * _STATEMENTS + body.first * _STATEMENTS_OF_LINE

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
        """Read a function or class, unless it was read."""
        if isinstance(scope, (Named, Method)):
            scope.look()

    def text_of(self, scope: Scope) -> str:
        """The text of what is in a method; of any other scope, that of the top level's statements that it is in."""
        if isinstance(scope, Method) and scope.spot is not None:
            above = self.outline.pieces[scope.spot.top][0] - 1
            return "\n".join(self._lines[above + scope.body.first - 1 : above + scope.body.last])
        top = [one.name for one in scope.around() if one.parent is not None][-1:]
        pieces = [self.outline.pieces[piece] for name in top for piece in self.outline.bound.get(name, ())]
        return "\n".join("\n".join(self._lines[first - 1 : last]) for first, last in pieces) or self.text

    def imports(self, word: str) -> bool:
        """Whether a word stands in the full name of something that is imported whenever the file is."""
        return any(word in name for name in self.outline.imports)

    def calls_named(self, name: str) -> list[Expression]:
        """The calls of whatever has this last name, anywhere in the file."""
        for piece, (first, last) in enumerate(self.outline.pieces) if name in self.text else ():
            if name in "\n".join(self._lines[first - 1 : last]) and piece not in self._read:
                self._read.add(piece)
                self._read_piece(piece)
        for scope in self._named_here.values():
            for method in scope.unread:
                if name in method.body.called:
                    method.look()
        return sorted((call for call in self.calls if last_name(call.node) == name), key=order)

    def line(self, expression: Expression) -> int:
        """The line on which an expression of this file begins, that of its statement if it can't be told."""
        piece = expression.spot.top
        for above, module in self._parts.get(piece, ()):
            try:
                return above + Written(module).stretches[id(expression.node)][0]
            except (RecursionError, KeyError):
                continue
        return self.outline.pieces[piece][0]

    def _read_piece(self, piece: int) -> None:
        first, last = self.outline.pieces[piece]
        self._piece = piece
        lines = self._lines[first - 1 : last]
        text = "\n".join(lines) + "\n"
        try:
            tree = parsed(text)
            if limit_in(walked(tree), text) is None:
                self._walk_piece(piece, tree, lines)
        except Exception:
            self._bodies.clear()  # what libcst can't read stays unknown
        for bindings in self.scope.bindings.values():
            bindings.sort(key=order)

    def _walk_piece(self, piece: int, tree: ast.Module, lines: list[str]) -> None:
        name = getattr(tree.body[0], "name", "") if len(tree.body) == 1 else ""
        is_class = self.outline.defined.get(name, False)
        found = bodies(tree.body[0], lines) if is_class else []
        module = cst.parse_module("\n".join(left_out(lines, found)) + "\n")
        self._parts[piece] = [(self.outline.pieces[piece][0] - 1, module)]
        inner = module.body[0].body.body if found and isinstance(module.body[0], cst.ClassDef) else ()
        self._bodies = dict(zip((id(one) for one in inner if isinstance(one, cst.FunctionDef)), found))
        self._walk(module, self._spot)
        scope = self._named_here.get(name)
        if scope is not None:
            del self._bound[name][1:]  # it may have been bound before it was read
            scope.leave_out([one for one in scope.methods() if isinstance(one, Method)])

    def _walk(self, root: cst.CSTNode, spot: Spot) -> None:
        """Walk at a spot, and come back to where the walk was."""
        here, outer = self._spot, self._outer
        self._spot, self._outer = spot, []
        try:
            walk(root, self)
        finally:
            self._spot, self._outer = here, outer

    def read_body(self, method: Method) -> None:
        """Read what is in a method; what can't be read stays unknown."""
        if method.spot is None:
            return
        piece, body = method.spot.top, method.body
        above = self.outline.pieces[piece][0] - 1
        lines = ["if 1:", *self._lines[above + body.first - 1 : above + body.last], ""]
        was_reading, self._is_reading = self._is_reading, True
        try:
            module = cst.parse_module("\n".join(lines))
            self._parts[piece].append((above + body.first - 2, module))
            method.block = module.body[0].body if isinstance(module.body[0], cst.If) else method.block
            self._order = self._begins(piece, body)
            block = Block(method, method.spot.block, Running.ALWAYS)
            self._walk(method.block, Spot(method, block, self._order, Running.ALWAYS, piece))
        except Exception:
            pass
        finally:
            self._is_reading = was_reading

    def whole(self, scope: Named) -> cst.CSTNode:
        """A class with all that is in it; what can't be read has nothing in it."""
        first, last = self.outline.pieces[self.outline.bound[scope.name][0]]
        try:
            return cst.parse_module("\n".join(self._lines[first - 1 : last]) + "\n").body[0]
        except Exception:
            return self.scope.node

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


class _OnDemand(dict[str, list[Binding]]):
    """The names of a top level, which are read when they are asked for."""

    def __init__(self, file: OtherFile) -> None:
        super().__init__()
        self._file = file

    def __contains__(self, name: object) -> bool:
        self._file.bind(str(name))
        return super().__contains__(name)

    def is_known(self, name: str) -> bool:
        """Whether a name was asked for before."""
        return super().__contains__(name)


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
