"""The third gate: whether the datasets of a file that makes no loader can keep, or do, anything that is spoken of.

Most of them keep some paths and a tensor. What can go wrong with a dataset by itself has a name: that of what opens,
loads or makes the thing, told by the imports of the file. Such a call matters where its result may be kept: at the top
level, in what sets attributes or builds objects, and in all that these call. Whatever can't be told so easily matters.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from flake8_torchloader.reading.facts.bound_makers import BOUND
from flake8_torchloader.reading.facts.openers import OPENERS, READERS
from flake8_torchloader.reading.known import (
    ADDERS,
    GENERATORS,
    HANDLES,
    ITEM_READERS,
    LIBRARIES,
    MAKERS,
    OBJECT_METHODS,
    OBJECT_READERS,
    WHOLE_READERS,
)
from flake8_torchloader.reading.project.outline import base_of, joined
from flake8_torchloader.reading.tree.syntax import Walked, last_of, within

_SUSPECTS = frozenset().union(
    BOUND, OPENERS, READERS, GENERATORS, HANDLES, ITEM_READERS, MAKERS, OBJECT_READERS, WHOLE_READERS
) - {"builtins.iter", "builtins.enumerate"}
_METHODS = OBJECT_METHODS | {"open", "glob", "rglob", "iterdir", "manual_seed"}
"""What says the same of an object that may come from anywhere."""

_CHANGERS = ADDERS | {"pop"}
_BUILDING = {"__init__", "__post_init__", "__setstate__"}
_WORKING = {"__getitem__", "__getitems__", "__call__", "forward"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CHANGED = (ast.Store, ast.Del)
_ODD = {ast.Lambda, ast.GeneratorExp, ast.Yield, ast.YieldFrom}
"""What can't be pickled, or makes what can't."""

_CONSUMERS = {"all", "any", "dict", "join", "list", "max", "min", "set", "sorted", "sum", "tuple"}
"""What takes all that a generator expression gives, and drops it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def datasets_may_matter(levels: Walked, text: str, is_of_project: Callable[[str], bool]) -> bool:
    """Whether anything in a file without loaders may be spoken of; `is_of_project` tells of a full name it imports."""
    if "cv2" in text:
        return True
    nodes = [node for level in levels for node in level]
    consumers = (node for node in nodes if isinstance(node, ast.Call) and last_of(node.func) in _CONSUMERS)
    used_up = {id(arg) for call in consumers for arg in call.args if isinstance(arg, ast.GeneratorExp)}
    if any(type(node) in _ODD and id(node) not in used_up for node in nodes):
        return True
    imports = dict(_imports(nodes))
    if any(name.endswith(".*") and name.split(".")[0] not in LIBRARIES for name in imports.values()):
        return True
    return any(map(is_of_project, imports.values())) or _Suspicion(levels[0][0], nodes, imports).is_justified


class _Suspicion:
    """Looks for suspects in the functions of a file whose results may be kept."""

    def __init__(self, tree: ast.Module, nodes: list[ast.AST], imports: dict[str, str]) -> None:
        self.imports = imports
        self.builders = {node.name for node in nodes if isinstance(node, ast.ClassDef)} | {"cls", "setattr"}
        self.bodies = {node: list(_body(node)) for node in nodes if isinstance(node, _FUNCTIONS)}
        self.outside = list(_outside(tree))
        self.by_name: dict[str, list[Function]] = {}
        for function in self.bodies:
            self.by_name.setdefault(function.name, []).append(function)

    @property
    def is_justified(self) -> bool:
        """Whether anything suspect is kept, changed by workers, or defined where nobody can find it."""
        inner = (*_FUNCTIONS, ast.ClassDef)
        if any(isinstance(node, inner) for body in self.bodies.values() for node in body):
            return True
        if any(f.name == "__iter__" or any(map(self._is_generator, body)) for f, body in self.bodies.items()):
            return True
        keepers = (f for f, body in self.bodies.items() if f.name in _BUILDING or any(map(self._keeps, body)))
        workers = (function for function in self.bodies if function.name in _WORKING)
        kept = [self.outside, *self._below([*keepers, *self._called(self.outside)])]
        if any(self._is_suspect(node) for body in kept for node in body) or any(map(self._has_module, kept)):
            return True
        return any(_changes(node) for body in self._below(workers) for node in body)

    def _below(self, functions: Iterable[Function]) -> Iterator[list[ast.AST]]:
        """The bodies of functions, and of whatever has a name that they call."""
        queue, seen = list(functions), set[Function]()
        while queue:
            function = queue.pop()
            if function not in seen:
                seen.add(function)
                yield self.bodies[function]
                queue += self._called(self.bodies[function])

    def _called(self, body: list[ast.AST]) -> list[Function]:
        names = {last_of(node.func) for node in body if isinstance(node, ast.Call)}
        return [function for name in names for function in self.by_name.get(name, ())]

    def _keeps(self, node: ast.AST) -> bool:
        """Whether a node sets an attribute, or builds an object of this file's class out of something."""
        if isinstance(node, ast.Call) and last_of(node.func) in self.builders:
            return True
        return _changes(node) and not _is_of_local(node)

    def _full_name(self, node: ast.AST) -> str:
        """The full name of what is imported or built in; of anything else, only the last one, after a dot."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and (node.id in self.imports or not parts):
            parts.append(self.imports.get(node.id, f"builtins.{node.id}"))
            return ".".join(reversed(parts))
        return f".{parts[0]}" if parts else ""

    def _is_generator(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and self._full_name(node.func) in GENERATORS

    def _is_suspect(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="range"), args=args):
                return not any(isinstance(arg, ast.Call) for arg in args)  # of a number that the file tells
            case ast.Call(func=func):
                name = self._full_name(func)
                return name in _SUSPECTS or name.startswith(".") and name[1:] in _METHODS
            case ast.ClassDef(bases=bases):
                return any(self._full_name(base) in _SUSPECTS for base in bases)
            case ast.Attribute(value=ast.Name(id="sys"), attr=name):
                return name.startswith("std")
        return False

    def _has_module(self, body: list[ast.AST]) -> bool:
        """Whether an imported name is used that is neither called nor stands before a dot: a module may be kept."""
        spoken = {id(node.value) for node in body if isinstance(node, ast.Attribute)}
        spoken.update(id(node.func) for node in body if isinstance(node, ast.Call))
        return any(
            isinstance(node, ast.Name) and "." not in self.imports.get(node.id, ".") and id(node) not in spoken
            for node in body
        )


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """What is imported anywhere in a file: the name it is given, and its full one."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, joined(base_of(node), alias.name)


def _body(function: Function) -> Iterator[ast.AST]:
    given = function.args
    return within([*function.body, *function.decorator_list, *given.defaults, *given.kw_defaults])


def _outside(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when the file is imported, short of what that calls."""
    return within(tree.body, _FUNCTIONS)


def _changes(node: ast.AST) -> bool:
    """Whether a node changes an object: its attributes, its elements, or what one of its attributes holds."""
    match node:
        case ast.Attribute(ctx=context) | ast.Subscript(ctx=context):
            return isinstance(context, _CHANGED)
        case ast.Call(func=ast.Attribute(attr=name, value=ast.Attribute() | ast.Subscript())):
            return name in _CHANGERS
    return False


def _is_of_local(node: ast.AST) -> bool:
    """Whether a node is an element of what has a name of its own, as in `rows[0]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name)
