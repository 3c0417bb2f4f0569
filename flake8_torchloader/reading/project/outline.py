"""What another file binds at its top level, and where: told by its `ast`, before anything is read in earnest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_torchloader.reading.project.skeleton import skeleton
from flake8_torchloader.reading.tree.syntax import first_line

_FUNCTION = re.compile(r"\blambda\b|oader|ataset|ransform(?!er)|[cC]ollat|\bpartial\b|Compose|Sampler|\bcv2\b")
"""What stands in a function that can give, or do, anything that the rules ask about."""

_CLASS = re.compile(
    r"^class .*(?:oader|ataset|Sampler|ransform(?!er)|ollat|Compose|DataModule)|def __(?:getitem|iter)__|DataLoader\("
    r"|self\.\w*oaders?\w* *=|self\.\w+ *=.*\blambda\b|\bfor .* in .*oader",
    re.MULTILINE,
)
"""What stands in a class whose objects can be loaders, be sent to workers, or hold what is."""

_LONGEST = 120
"""Lines of a function, or of a class that is called, above which it is taken for a program or a network."""

_HIDDEN = re.compile(r"\n[ \t]+(?:async[ \t]+)?(?:def|class)[ \t]+\w+[ \t]*[(:]")
"""A function or class that is defined in a function, so that no name leads to it."""

_HINTS = (
    "oader", "ataset", "Sampler", "ransform", "ollat", "Compose", "DataModule", "lambda", "partial", "cv2", "__iter__",
    "__getitem__",
)  # fmt: skip
"""Without one of these, neither expression can be found."""

_WORD = re.compile(r"[^\W\d]\w*")
_MATTER, _LOADER, _VALUE = "*", "+", "="
"""Stand among the words of what matters by itself, of what speaks of loaders, and of names bound otherwise."""

_LISTED = (ast.Import, ast.ImportFrom)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Outline:
    """The top level of a file.

    `pieces` are runs of whole lines, first and last counted from 1, each with one statement or several that share a
    line. `bound` has the pieces that bind a name; `defined` tells of a name that one `def` or `class` alone binds
    whether it is a class. `plain` are the functions and classes of which nothing can matter, `loading` those that
    speak of loaders, or of others of the file that do. `stars` are the modules of which everything is imported,
    `imports` all that is imported whenever the file is.
    """

    pieces: tuple[tuple[int, int], ...]
    bound: dict[str, tuple[int, ...]]
    defined: dict[str, bool]
    plain: frozenset[str]
    loading: frozenset[str]
    stars: tuple[str, ...]
    imports: tuple[str, ...]


def outline(text: str) -> Outline:
    """Read the outline of a file off its text; raises what `ast.parse` raises."""
    bones = skeleton(text)
    tree = bones.tree
    lines = text.split("\n")
    pieces: list[tuple[int, int]] = []
    bound: dict[str, list[int]] = {}
    words: dict[str, set[str]] = {}
    defined: dict[str, bool] = {}
    for statement in tree.body:
        first, last = first_line(statement), bones.last_line(statement)
        if pieces and first <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(last, pieces[-1][1]))
        else:
            pieces.append((first, last))
        own = "\n".join(lines[first - 1 : last])
        is_scope = isinstance(statement, _SCOPES)
        said = _said(statement, own) if is_scope else [_VALUE]
        for name in _names(statement):
            numbers = bound.setdefault(name, [])
            numbers += [] if len(pieces) - 1 in numbers else [len(pieces) - 1]
            words.setdefault(name, set()).update(said)
            if is_scope and len(numbers) == 1:
                defined[name] = isinstance(statement, ast.ClassDef)
            else:
                defined.pop(name, None)
    imported = _imports(tree)
    return Outline(
        pieces=tuple(pieces),
        bound={name: tuple(numbers) for name, numbers in bound.items()},
        defined=defined,
        plain=frozenset(name for name, said in words.items() if _VALUE not in said) - _speaking(words, _MATTER),
        loading=_speaking(words, _LOADER),
        stars=tuple(base_of(one) for one in imported if isinstance(one, ast.ImportFrom) and one.names[0].name == "*"),
        imports=_imported_names(imported),
    )


def _said(statement: ast.stmt, text: str) -> list[str]:
    """The marks of a function or class, and the words of a function, by which it may matter for what it calls."""
    marks = [_LOADER] if "oader" in text or "Sampler" in text else []
    may_match = any(hint in text for hint in _HINTS)
    is_long = text.count("\n") >= _LONGEST
    if isinstance(statement, ast.ClassDef):
        matters = (may_match and bool(_CLASS.search(text))) or ("def __call__" in text and not is_long)
        return [*marks, _MATTER] if matters else marks
    if is_long:
        return marks
    matters = (may_match and bool(_FUNCTION.search(text))) or bool(_HIDDEN.search(text))
    return [*_WORD.findall(text), *marks, *([_MATTER] if matters else [])]


def _speaking(words: dict[str, set[str]], mark: str) -> frozenset[str]:
    """The functions and classes with a mark, and those that speak of one of them."""
    found: set[str] = set()
    latest = {name for name, said in words.items() if mark in said}
    while latest:
        found |= latest
        latest = {name for name, said in words.items() if name not in found and said & latest}
    return frozenset(found)


def imported_names(tree: ast.Module) -> tuple[str, ...]:
    """The full names of all that is imported whenever a file is."""
    return _imported_names(_imports(tree))


def _imported_names(statements: list[ast.stmt]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for statement in statements for name in _imported(statement)))


def _imports(tree: ast.Module) -> list[ast.stmt]:
    return [statement for statement in _at_import(tree.body) if isinstance(statement, _LISTED)]


def _names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of the top level binds there, in branches and loops too."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=aliases):
                yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
            case ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name for alias in aliases)
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
                yield name  # `names.append(...)`
        stack += [] if isinstance(node, _SCOPES) else ast.iter_child_nodes(node)


def _at_import(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run, or may run, whenever the file is imported."""
    stack: list[ast.AST] = [*reversed(statements)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.If) and _is_for_others(node.test):
            stack += reversed(node.orelse)
        elif isinstance(node, (ast.stmt, ast.ExceptHandler)) and not isinstance(node, (ast.FunctionDef, *_LISTED)):
            stack += [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.ExceptHandler))]


def _is_for_others(test: ast.expr) -> bool:
    """Whether a branch is for the main program or for type checkers."""
    names = {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(test)}
    return bool(names & {"__name__", "TYPE_CHECKING"})


def base_of(statement: ast.ImportFrom) -> str:
    """The module from which a statement imports; a relative one keeps its dots."""
    return "." * statement.level + (statement.module or "")


def _imported(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(names=aliases):
            base = base_of(statement)
            yield base
            yield from (joined(base, alias.name) for alias in aliases if alias.name != "*")


def joined(base: str, name: str) -> str:
    """The full name of a thing in a module: a relative import keeps its dots."""
    return f"{base}{name}" if base.endswith(".") else f"{base}.{name}"
