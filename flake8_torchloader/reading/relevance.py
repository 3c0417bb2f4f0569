"""Two cheap gates: on the text, then on the tree that flake8 already has, before libcst is imported."""

from __future__ import annotations

import ast

_WORDS = ("DataLoader", "ataset", "DataModule", "Lambda")
_CALLS = ("oader", "ompose", "ambda", "ampler", "set_start_method")
_DEEPEST = 90
"""Levels of nested expressions that are still read: chains cost libcst's parser the square of their length."""

_LONGEST = 60_000
"""Lines of a file that is still read."""


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
    """The line of an expression that is nested too deeply to be read, if there is one."""
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _DEEPEST:
            return getattr(node, "lineno", 1)
        for child in ast.iter_child_nodes(node):
            stack.append((child, depth + 1))
    return None
