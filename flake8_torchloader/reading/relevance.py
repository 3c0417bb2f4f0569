"""Two cheap gates: on the text, then on the tree that flake8 already has, before libcst is imported."""

from __future__ import annotations

import ast

_WORDS = ("DataLoader", "ataset", "DataModule", "Lambda")
_CALLS = ("oader", "ompose", "ambda", "ampler", "set_start_method")
_DEEPEST = 300
"""Levels of the tree that are still read: a chain costs libcst's parser the square of its length."""

_BRACKETS = 80
"""Levels of nested calls and displays that are still read: libcst writes them out recursively."""


def text_may_matter(text: str) -> bool:
    """Whether a file speaks of torch and of data at all."""
    return "torch" in text and any(word in text for word in _WORDS)


def tree_may_matter(tree: ast.Module) -> bool:
    """Whether a file makes a loader, defines a dataset, or gives a transform a function."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.ClassDef) and _may_be_dataset(node):
            return True
        if isinstance(node, (ast.Call, ast.ImportFrom, ast.Attribute, ast.Name)) and _names_loader(node):
            return True
        stack.extend(ast.iter_child_nodes(node))
    return False


def _may_be_dataset(node: ast.ClassDef) -> bool:
    return bool(node.bases) and any(
        isinstance(item, ast.FunctionDef) and item.name in ("__getitem__", "__iter__", "__getitems__")
        for item in node.body
    )


def _names_loader(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return any(word in name for word in _CALLS)
        case ast.ImportFrom(names=aliases):
            return any(alias.name.endswith("Loader") for alias in aliases)
        case ast.Attribute(attr=name):
            return name.endswith("DataLoader")
    return False


def too_deep(tree: ast.Module) -> int | None:
    """The line of code that is nested too deeply to be read, if there is any."""
    stack: list[tuple[ast.AST, int, int]] = [(tree, 0, 0)]
    while stack:
        node, depth, brackets = stack.pop()
        brackets += isinstance(node, (ast.Call, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Subscript, ast.Lambda))
        if depth > _DEEPEST or brackets > _BRACKETS:
            return getattr(node, "lineno", 1)
        stack += [(child, depth + 1, brackets) for child in ast.iter_child_nodes(node)]
    return None
