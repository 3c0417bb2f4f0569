"""What a test says about the main program: guards, in all their spellings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

import libcst as cst

from flake8_torchloader.reading.tree.walk import below

_EXITS = {"exit", "quit", "sys.exit", "os._exit"}
_LEAVING = {cst.Return, cst.Raise}
_CAUGHT = {"Exception", "BaseException", "ValueError", "TypeError", "AssertionError", "RuntimeError"}
_FAILING = {"xfail", "expectedFailure"}


class Guard(Enum):
    """What it means for a test to be true."""

    MAIN = "this is the main program"
    NOT_MAIN = "this is not the main program"
    NEVER = "it never is"
    NOTHING = "nothing about the main program"


_OPPOSITE = {Guard.MAIN: Guard.NOT_MAIN, Guard.NOT_MAIN: Guard.MAIN}
Follow = Callable[[str], "cst.BaseExpression | None"]


def guard_of(test: cst.BaseExpression, follow: Follow, depth: int = 0) -> Guard:
    """Read a test; `follow` gives the single value that was assigned to a name, if any."""
    if depth > 8:
        return Guard.NOTHING
    match test:
        case cst.Comparison(left=left, comparisons=[only]):
            return _comparison(left, only)
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            return _OPPOSITE.get(guard_of(inner, follow, depth + 1), Guard.NOTHING)
        case cst.BooleanOperation(operator=cst.And()):
            sides = {guard_of(side, follow, depth + 1) for side in (test.left, test.right)}
            return next((g for g in (Guard.NEVER, Guard.MAIN) if g in sides), Guard.NOTHING)
        case cst.BooleanOperation():
            sides = {guard_of(side, follow, depth + 1) for side in (test.left, test.right)}
            return sides.pop() if len(sides) == 1 else Guard.NOTHING
        case cst.Name(value="False" | "TYPE_CHECKING") | cst.Integer(value="0"):
            return Guard.NEVER
        case cst.Attribute(attr=cst.Name(value="TYPE_CHECKING")):
            return Guard.NEVER
        case cst.Name(value=name):
            value = follow(name)
            return guard_of(value, follow, depth + 1) if value is not None else Guard.NOTHING
    return Guard.NOTHING


def _comparison(left: cst.BaseExpression, comparison: cst.ComparisonTarget) -> Guard:
    sides = (left, comparison.comparator)
    is_name = any(isinstance(side, cst.Name) and side.value == "__name__" for side in sides)
    is_process = any(_text(side) == "MainProcess" for side in sides)
    if not is_name and not is_process:
        return Guard.NOTHING
    match comparison.operator:
        case cst.Equal() if is_process or any(_text(side) == "__main__" for side in sides):
            return Guard.MAIN
        case cst.NotEqual() if is_process or any(_text(side) == "__main__" for side in sides):
            return Guard.NOT_MAIN
        case cst.In() if _only_main(comparison.comparator):
            return Guard.MAIN
        case cst.NotIn() if _only_main(comparison.comparator):
            return Guard.NOT_MAIN
    return Guard.NOTHING


def _text(node: cst.BaseExpression) -> object:
    return node.evaluated_value if isinstance(node, cst.SimpleString) else None


def _only_main(node: cst.BaseExpression) -> bool:
    if not isinstance(node, (cst.Tuple, cst.List, cst.Set)):
        return False
    return bool(node.elements) and all(_text(element.value) == "__main__" for element in node.elements)


def returns(body: cst.BaseSuite) -> bool:
    """Whether code ends the function that it stands in whenever it is run."""
    return any(isinstance(small, cst.Return) for line in body.body for small in _smalls(line))


def breaks(body: cst.BaseSuite) -> bool:
    """Whether the body of a loop ends the loop whenever it is run to its end."""
    lines = body.body
    if not lines or not any(isinstance(small, cst.Break) for small in _smalls(lines[-1])):
        return False
    return not any(isinstance(inner, cst.Continue) for line in lines for inner in below(line))


def ends(body: cst.BaseSuite) -> bool:
    """Whether a round of a loop is its last one unless something fails or a test says otherwise."""
    for line in body.body:
        inner = [line.body] if isinstance(line, (cst.With, cst.Try)) else []
        if isinstance(line, cst.Try) and line.orelse is not None:
            inner.append(line.orelse.body)
        if any(isinstance(small, (cst.Break, cst.Return)) for small in _smalls(line)) or any(map(ends, inner)):
            return True
    return False


def leaves(line: cst.CSTNode) -> bool:
    """Whether a line ends the function or the program whenever it is run."""
    return any(type(small) in _LEAVING or _exits(small) for small in _smalls(line))


def _smalls(line: cst.CSTNode) -> Sequence[cst.CSTNode]:
    if type(line) is cst.SimpleStatementLine or type(line) is cst.SimpleStatementSuite:
        return line.body
    return [line]


def _exits(small: cst.CSTNode) -> bool:
    call = small.value if type(small) is cst.Expr else None
    return isinstance(call, cst.Call) and dotted(call.func) in _EXITS


def dotted(node: cst.CSTNode) -> str:
    """A chain of attributes as it is written, `a.b.c`; empty where it is no such chain."""
    parts: list[str] = []
    while type(node) is cst.Attribute:
        parts.append(node.attr.value)
        node = node.value
    if type(node) is not cst.Name:
        return ""
    return ".".join([node.value, *reversed(parts)])


def last_name(node: cst.CSTNode) -> str:
    """The last name of what a call calls: `loader` in `make.a.loader(...)`."""
    func = node.func if type(node) is cst.Call else node
    last = func.attr if type(func) is cst.Attribute else func
    return last.value if type(last) is cst.Name else ""


def catches(handler: cst.ExceptHandler) -> bool:
    """Whether an `except` takes what a call of a library may raise."""
    if handler.type is None:
        return True
    kinds = [e.value for e in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]
    return any(last_name(kind) in _CAUGHT for kind in kinds)


def wants_failure(item: cst.CSTNode) -> bool:
    """Whether this is `pytest.raises(...)`, `self.assertRaises(...)` or the like, which is glad if something fails."""
    name = last_name(item) if isinstance(item, cst.Call) else ""
    return "raises" in name.lower() or name == "suppress"


def is_to_fail(decorator: cst.CSTNode) -> bool:
    """Whether this is `@pytest.mark.xfail(...)` or its like, which marks a test that is known to fail."""
    return last_name(decorator) in _FAILING


def is_case_of_main(subject: cst.BaseExpression, pattern: cst.MatchPattern) -> bool:
    """Whether this is `match __name__:` with `case "__main__":`."""
    text = _text(pattern.value) if isinstance(pattern, cst.MatchValue) else None
    return isinstance(subject, cst.Name) and subject.value == "__name__" and text == "__main__"
