"""Which lines of the user's files speak of the attributes that a path leads through."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from typing import Any

from .sites import absolute, is_users
from .sources import tree

_ATTRIBUTE = re.compile(r"\.([A-Za-z_]\w*)")
_MOST_FILES = 50
_MOST_LINES = 500


def lines_about(path: str) -> list[dict[str, Any]]:
    """The lines of the statements that name an attribute of `dataset.reader.file`, in any module of the user."""
    names = set(_ATTRIBUTE.findall(path))
    found = [
        {"file": file, "line": line, "function": ""}
        for file in _users_files()
        for statement in _statements(tree(file))
        if names & set(_attributes(statement))
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    ]
    return found[:_MOST_LINES]


def _users_files() -> list[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    users = dict.fromkeys(absolute(file) for file in files if isinstance(file, str) and is_users(file))
    return list(users)[:_MOST_FILES]


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that hold no others, and the heads of `with` and `for`, without what stands in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node
        elif isinstance(node, (ast.With, ast.For)):
            yield ast.Expr(_head(node), lineno=node.lineno, end_lineno=node.body[0].lineno - 1, col_offset=0)


def _head(node: ast.With | ast.For) -> ast.expr:
    parts = [node.target] if isinstance(node, ast.For) else [i.optional_vars for i in node.items if i.optional_vars]
    return ast.Tuple(parts, ast.Store())


def _attributes(statement: ast.stmt) -> Iterator[str]:
    """The attributes that a statement names, by a dot or with `setattr`."""
    for node in ast.walk(statement):
        match node:
            case ast.Attribute(attr=name):
                yield name
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), *_]):
                yield name
