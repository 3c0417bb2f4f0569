"""What is not read, because libcst's parser would take for ever over it or die of it.

Python's own parser takes all of this, and its tree, in which it is looked for, is there before libcst is called. The
limits are far above what people write, and well below what was seen to hang or crash (libcst 1.5 to 1.9).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from flake8_torchloader.reading.tree.syntax import Walked, below

_DEEPEST = 240
"""Levels of the tree: a chain of calls or of sums costs the square of its length."""

_BRACKETS = 80
"""Levels of nested calls and displays, which cost the square of their number."""

_DOTS = 200
"""Names between dots in an import: libcst checks them recursively."""

_LINKS = 1000
"""Operands of `and` and `or`, which for libcst are one inside the other: 20,000 overflow its stack."""

_PATTERNS = 6
"""Levels of brackets in the pattern of a `case`, and of tuples behind `del`: each level takes four times as long."""

_DISPLAYS = (ast.Call, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Subscript, ast.Lambda)
_ODD = {ast.BoolOp, ast.Match, ast.Delete, ast.Import, ast.ImportFrom}
"""What hides from Python's tree how deep it is for libcst."""

_BRACKET = re.compile(r"[][(){}]")
_NESTED = "an expression is nested too deeply"


@dataclass(frozen=True, slots=True)
class Limit:
    """Which line goes beyond what is read, and why."""

    line: int
    reason: str


def limit_in(levels: Walked, text: str) -> Limit | None:
    """Where a file goes beyond what is read, if it does."""
    lines = text.split("\n") if "match" in text else []
    links = 0
    for depth, level in enumerate(levels):
        odd = [node for node in level if type(node) in _ODD]
        limits = (_limit_at(node, lines) for node in odd)
        found = next((limit for limit in limits if limit is not None), None)
        if found is not None:
            return found
        links += sum(len(node.values) for node in odd if isinstance(node, ast.BoolOp))
        if depth > _BRACKETS or links > _LINKS:
            return _deepest(levels[0][0])
    return None


def _limit_at(node: ast.AST, lines: list[str]) -> Limit | None:
    match node:
        case ast.Match(lineno=line) if _nests_patterns(node, lines):
            return Limit(line, "a pattern is nested too deeply")
        case ast.Delete(lineno=line, targets=targets) if any(map(_nests_tuples, targets)):
            return Limit(line, _NESTED)
        case ast.Import(lineno=line) | ast.ImportFrom(lineno=line) if _dots(node) > _DOTS:
            return Limit(line, "a name has too many dots")
    return None


def _deepest(tree: ast.Module) -> Limit | None:
    """Look again, and count along each path."""
    stack: list[tuple[object, int, int, int]] = [(tree, 0, 0, 0)]
    while stack:
        node, depth, brackets, links = stack.pop()
        brackets += isinstance(node, _DISPLAYS)
        links += len(node.values) if isinstance(node, ast.BoolOp) else 0
        if depth > _DEEPEST or brackets > _BRACKETS:
            return Limit(getattr(node, "lineno", 1), _NESTED)
        if links > _LINKS:
            return Limit(getattr(node, "lineno", 1), "a condition has too many parts")
        stack += [(child, depth + 1, brackets, links) for child in below([node])]
    return None


def _dots(node: ast.Import | ast.ImportFrom) -> int:
    base = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    return max(name.count(".") for name in (base, *(alias.name for alias in node.names)))


def _nests_tuples(target: ast.expr) -> bool:
    level: list[ast.expr] = [target]
    for _ in range(_PATTERNS):
        level = [inner for one in level if isinstance(one, (ast.Tuple, ast.List)) for inner in one.elts]
    return bool(level)


def _nests_patterns(statement: ast.Match, lines: list[str]) -> bool:
    """Whether a pattern is too deep: its parentheses stand in no tree, so they are looked for in the text."""
    first = statement.subject.end_lineno or statement.lineno
    for case in statement.cases:
        if _brackets(_header(case, lines, first)) > _PATTERNS:
            return True
        first = case.body[-1].end_lineno or first
    return False


def _header(case: ast.match_case, lines: list[str], first: int) -> str:
    """The text from the end of the case before, `first` lines from the top, to the guard or the body."""
    end = case.guard or case.body[0]
    last = lines[end.lineno - 1].encode()[: end.col_offset].decode()
    return "\n".join([*lines[first : end.lineno - 1], last])


def _brackets(text: str) -> int:
    """How many brackets are open at once, at most."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return deepest
