"""What the source tells of the names of files."""

from __future__ import annotations

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Expression

_DEEPEST = 8
"""How many names and joins a path is followed through."""


def ends_in(names: Names, path: Expression, suffix: str, depth: int = 0) -> bool:
    """Whether a path surely ends in a suffix: `"a.npz"`, `root / "a.npz"`, `os.path.join(root, f"{name}.npz")`."""
    match path.node:
        case cst.SimpleString() as text:
            return str(text.evaluated_value).endswith(suffix)
        case cst.FormattedString(parts=[*_, cst.FormattedStringText(value=last)]):
            return last.endswith(suffix)
        case cst.ConcatenatedString(right=last_part) | cst.BinaryOperation(right=last_part):
            return ends_in(names, path.of(last_part), suffix, depth + 1)
        case cst.Call(func=cst.Attribute(value=cst.SimpleString() as text, attr=cst.Name(value="format"))):
            return ends_in(names, path.of(text), suffix, depth + 1)
        case cst.Call(args=[*_, cst.Arg(value=last_part)]):
            return ends_in(names, path.of(last_part), suffix, depth + 1)
        case cst.Name() if depth < _DEEPEST:
            leaves = names.sources(path)
            inner = [leaf.expression for leaf in leaves if isinstance(leaf, Literal) and leaf.node is not path.node]
            return bool(leaves) and len(inner) == len(leaves) and all(
                ends_in(names, one, suffix, depth + 1) for one in inner
            )
    return False
