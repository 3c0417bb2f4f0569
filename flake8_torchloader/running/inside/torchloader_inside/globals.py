"""The global variables of the main program, as the process that iterates and its workers know them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Any

from .probes import attribute
from .samples import digest
from .sites import absolute
from .sources import tree
from .tell import quietly, tell

_SIMPLE = (int, float, bool, type(None))
_MOST = 200
_MOST_LINES = 50


@quietly
def tell_globals(*, with_lines: bool) -> None:
    """Tell of each global that the main file sets: what it is now, and if asked for the lines that set it."""
    module = sys.modules.get("__main__")
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return
    held, lines = vars(module), _lines(absolute(file))
    found = [
        {
            "name": name,
            **(_seen(held[name]) if name in held else {}),
            "sites": _sites(absolute(file), lines[name]) if with_lines else [],
        }
        for name in list(lines)[:_MOST]
        if with_lines or name in held
    ]
    tell("globals", globals=found)


def _seen(value: Any) -> dict[str, str]:
    """What a value looks like, and a digest of it if it is plain."""
    seen = attribute(value)
    return {"outline": seen["outline"], "digest": digest(value) if type(value) in _SIMPLE else seen["digest"]}


def _sites(file: str, lines: list[int]) -> list[dict[str, Any]]:
    return [{"file": file, "line": line, "function": "<module>"} for line in lines[:_MOST_LINES]]


def _lines(file: str) -> dict[str, list[int]]:
    """The lines of the statements that set a global, by its name."""
    found: dict[str, list[int]] = {}
    for statement, names in _setting(tree(file)):
        last = statement.end_lineno if not hasattr(statement, "body") else None
        for name in names:
            found.setdefault(name, []).extend(range(statement.lineno, (last or statement.lineno) + 1))
    return found


def _setting(code: ast.Module) -> Iterator[tuple[ast.stmt, set[str]]]:
    """The statements at the top level, and those that set what a function calls global, with the names they set."""
    stack: list[tuple[ast.AST, set[str] | None]] = [(node, None) for node in code.body]
    while stack:
        node, declared = stack.pop()
        if isinstance(node, ast.stmt):
            names = set(_names(node))
            yield node, names if declared is None else names & declared
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = {name for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names}
            stack += [(child, inner) for child in node.body] if inner else []
        elif not isinstance(node, (ast.ClassDef, ast.expr)):
            stack += [(child, declared) for child in ast.iter_child_nodes(node)]


def _names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement itself sets, or puts something into."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            yield name
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _targets(target))
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.For(target=target):
            yield from _targets(target)
        case ast.With(items=items):
            yield from (name for item in items if item.optional_vars for name in _targets(item.optional_vars))


def _targets(target: ast.expr) -> Iterator[str]:
    """`x`, `x, y` and `x[0]`."""
    match target:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            yield from (name for part in parts for name in _targets(part))
