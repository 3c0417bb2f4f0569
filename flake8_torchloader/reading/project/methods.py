"""The methods of another file's class: what Python's own tree tells of each, so that few need to be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_torchloader.reading.known import ADDERS
from flake8_torchloader.reading.tree.syntax import first_line, last_of, within

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CLOSED = {*_FUNCTIONS, ast.Lambda, ast.ClassDef}
_CHANGED = (ast.Store, ast.Del)
ANY = "*"
"""Stands for an attribute of which the name is not known."""

_BY_NAME = {"setattr", "delattr", "__dict__"}


@dataclass(frozen=True, slots=True)
class Body:
    """What is in a method: its lines, `first` to `last`, counted from 1 at the top of its class.

    `is_apart` says that its header has lines of its own, so that it can be read by itself.

    `sets` are the attributes that it may set, `ANY` among them if it is not known which, and `called` the last names of
    what it calls; `gives` says that it may return or yield something.
    """

    first: int
    last: int
    is_apart: bool
    sets: frozenset[str]
    gives: bool
    called: frozenset[str]


def bodies(statement: ast.stmt, lines: list[str]) -> list[Body]:
    """The bodies of a class's own methods, in the order of the text."""
    methods = [one for one in getattr(statement, "body", ()) if isinstance(one, _FUNCTIONS)]
    return [_body(method, lines) for method in methods]


def _body(method: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> Body:
    begin = method.body[0]
    first = first_line(begin)
    everything, own = list(within(method.body)), list(within(method.body, _CLOSED))
    return Body(
        first,
        method.body[-1].end_lineno or first,
        is_apart=not lines[first - 1][: begin.col_offset].strip(),
        sets=frozenset(name for node in everything for name in _sets(node)),
        gives=any(map(_gives, own)),
        called=frozenset(last_of(node.func) for node in own if isinstance(node, ast.Call)),
    )


def left_out(lines: list[str], found: list[Body]) -> list[str]:
    """The lines of a class, with nothing in those of its methods that can be read by themselves."""
    lines = list(lines)
    for body in (one for one in found if one.is_apart):
        begin = lines[body.first - 1]
        indent = begin[: len(begin) - len(begin.lstrip())]
        lines[body.first - 1 : body.last] = [f"{indent}...", *[""] * (body.last - body.first)]
    return lines


def _sets(node: ast.AST) -> Iterator[str]:
    """The attributes that a node may set, or put something into."""
    match node:
        case ast.Attribute(attr=name, ctx=context):
            yield from [ANY] if name in _BY_NAME else [name] if isinstance(context, _CHANGED) else []
        case ast.Subscript(value=value, ctx=context) if isinstance(context, _CHANGED):
            yield from _held(value)
        case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in ADDERS:
            yield from _held(value)
        case ast.Name(id=name) if name in _BY_NAME:
            yield ANY


def _held(value: ast.expr) -> Iterator[str]:
    """The attribute of which something is an element, however deep."""
    while isinstance(value, ast.Subscript):
        value = value.value
    if isinstance(value, ast.Attribute):
        yield value.attr


def _gives(node: ast.AST) -> bool:
    return isinstance(node, (ast.Yield, ast.YieldFrom)) or (isinstance(node, ast.Return) and node.value is not None)
