"""The second gate: on the tree that flake8 already has, before libcst is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from enum import Enum

from flake8_torchloader.gate import INITS, SETTER, speaks_of_torch
from flake8_torchloader.reading.known import LIBRARIES
from flake8_torchloader.reading.tree.syntax import Walked, below, last_of

_LIBRARIES = ("torchvision", "torchaudio", "torchvision.datasets", "torchaudio.datasets")
_TELLING = {ast.FunctionDef, ast.Call, ast.ImportFrom, ast.Import, ast.Attribute}
"""The kinds of node that can show it; most nodes are of none of them."""

_OTHERS = {"importlib", "jinja2", "unittest", "yaml"}
"""Packages whose loaders load something else."""

_ANNOTATED = {ast.arg, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef}
_METHODS = ("__getitem__", "__iter__", "__getitems__")
_WORKERS_POSITION = 6
"""How many positional arguments a loader has if the number of workers is one of them."""

_POSITIONAL = ("dataset", "batch_size", "shuffle", "sampler", "batch_sampler")
_REJECTED = (
    ("timeout", ()), ("prefetch_factor", ()), ("multiprocessing_context", ()), ("sampler", ("shuffle",)),
    ("batch_sampler", ("batch_size",)), ("batch_sampler", ("shuffle",)), ("batch_sampler", ("sampler",)),
    ("batch_sampler", ("drop_last",)),
)  # fmt: skip
"""Arguments that torch may reject alone, or beside others."""


def may_lack_epochs(text: str) -> bool:
    """Whether a file has a DistributedSampler, and tells none the epoch: it may be shuffled alike in each epoch."""
    return "DistributedSampler" in text and not tells_epochs(text)


def tells_epochs(text: str) -> bool:
    """Whether a file tells a sampler the epoch."""
    return "set_epoch" in text or "sampler.epoch = " in text


def may_fit_unguarded(text: str) -> bool:
    """Whether a file has no guard, and somebody's DataModule, whose loaders a trainer may go through."""
    return "DataModule" in text and "__main__" not in text


class Interest(Enum):
    """What of a file the rules may speak of."""

    NOTHING = "nothing"
    DATASETS = "its datasets, whatever loads them"
    ALL = "its loaders and all that they need"


def interest_in(levels: Walked, text: str) -> Interest:
    """Whether a file makes a loader with workers, defines a dataset, or makes one of a known library."""
    nodes = (node for level in levels for node in level)
    if not speaks_of_torch(text):
        return Interest.DATASETS if any(map(_may_be_dataset_of_others, nodes)) else Interest.NOTHING
    speaks_of_workers = "workers" in text or "create_loader" in text or may_lack_epochs(text)
    mentions = _Mentions(speaks_of_workers=speaks_of_workers, fits=may_fit_unguarded(text))
    has_datasets = False
    for node in nodes:
        if id(node) in mentions.unused:
            mentions.pass_over(below([node]))
            continue
        kind = type(node)
        if kind in _ANNOTATED:
            mentions.pass_over([getattr(node, "annotation", None) or getattr(node, "returns", None)])
        if kind is ast.Name or kind is ast.Attribute:
            mentions.note(node)
        elif kind is ast.ClassDef:
            has_datasets = has_datasets or _may_be_dataset(node)
        if kind in _TELLING and _is_candidate(node, speaks_of_workers=speaks_of_workers):
            return Interest.ALL
        if kind is ast.Import or kind is ast.ImportFrom:
            mentions.note_import(node)
        elif kind is ast.Call:
            mentions.note_call(node)
    if mentions.may_matter(levels[0][0]) or (has_datasets and mentions.is_loader_called):
        return Interest.ALL
    return Interest.DATASETS if has_datasets else Interest.NOTHING


class _Mentions:
    """What speaks of loaders in a file that makes none by itself."""

    def __init__(self, *, speaks_of_workers: bool, fits: bool) -> None:
        self._speaks_of_workers = speaks_of_workers
        self._fits = fits
        self._names: set[str] = set()
        self._owners: set[str] = set()
        self._imported: set[str] = set()
        self._imported_loaders: set[str] = set()
        self._imported_modules: set[str] = set()
        self.unused: set[int] = set()
        self.is_loader_called = False

    def note(self, node: ast.Name | ast.Attribute) -> None:
        """Note a name, or an attribute that is called a loader."""
        if isinstance(node, ast.Name):
            self._names.add(node.id)
        elif self._speaks_of_workers and _sounds_like_loader(node.attr):
            self._owners.add(_first_name(node))

    def note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note what is imported, above all loaders."""
        names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        self._imported.update(names)
        package = str(node.module).partition(".")[0] if isinstance(node, ast.ImportFrom) else ""
        may_bring = package not in (_OTHERS if self._speaks_of_workers else LIBRARIES)
        if isinstance(node, ast.ImportFrom) and may_bring:
            full = list(zip(names, (alias.name for alias in node.names)))
            self._imported_loaders.update(name for name, whole in full if _sounds_like_loader(whole))
            self._imported_modules.update(name for name, whole in full if self._fits and "DataModule" in whole)

    def note_call(self, node: ast.Call) -> None:
        """Note a call that is called a loader, and what is only asked for: `isinstance(x, DataLoader)`."""
        self.is_loader_called = self.is_loader_called or _sounds_like_loader(last_of(node.func))
        if isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
            self.pass_over(node.args[1:])

    def pass_over(self, nodes: Iterable[object]) -> None:
        """Note that nothing is done with some nodes, whatever they speak of."""
        self.unused.update(map(id, nodes))

    def may_matter(self, tree: ast.Module) -> bool:
        """Whether an imported loader is used, or one of an object, or of a DataModule, while the file is imported.

        `spec.loader` is how modules are loaded.
        """
        if not self._imported_loaders.isdisjoint(self._names) or not self._imported.isdisjoint(self._owners):
            return True
        may_run = self._owners - {"spec"} or self._imported_modules & self._names
        return bool(may_run) and self._runs_anything(tree)

    def _runs_anything(self, tree: ast.Module) -> bool:
        """Whether a statement of the top level may go through a loader, or call a function of this file."""
        stack = [*tree.body]
        while stack:
            match stack.pop():
                case ast.If(body=body, orelse=orelse):
                    stack += [*body, *orelse]
                case ast.Try(body=body, handlers=handlers, finalbody=last):
                    stack += [*body, *(one for handler in handlers for one in handler.body), *last]
                case ast.Expr(value=ast.Call(func=func)) | ast.Assign(value=ast.Call(func=func)):
                    if _first_name(func) not in self._imported:
                        return True
                case ast.For() | ast.While() | ast.With():
                    return True
        return False


def _first_name(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_candidate(node: ast.AST, *, speaks_of_workers: bool) -> bool:
    match node:
        case ast.FunctionDef(name=name):
            return INITS in name
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name == SETTER:
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            return _sounds_like_loader(name) and (
                speaks_of_workers or len(args) >= _WORKERS_POSITION or _may_be_rejected(node)
            )
        case ast.ImportFrom(module=module, names=aliases):
            brings = str(module).endswith(".datasets") or any(alias.name == "datasets" for alias in aliases)
            return module in _LIBRARIES and brings
        case ast.Import(names=aliases):
            return any(alias.name in _LIBRARIES and alias.name.endswith(".datasets") for alias in aliases)
        case ast.Attribute(attr="datasets", value=ast.Name(id=name)):
            return name in _LIBRARIES
    return False


def _may_be_rejected(call: ast.Call) -> bool:
    """Whether torch may reject a loader that says nothing of workers, by what its arguments are called."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    names = given.keys() | set(_POSITIONAL[: len(call.args)])
    if None in names or any(names >= {name, *others} for name, others in _REJECTED):
        return True
    size, drops = given.get("batch_size"), given.get("drop_last")
    is_odd = isinstance(drops, ast.Constant) and not isinstance(drops.value, bool)
    match size:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return is_odd or number <= 0
        case ast.Constant() | ast.UnaryOp():
            return True
    return is_odd


def _sounds_like_loader(name: str) -> bool:
    return "oader" in name or "Sampler" in name


def _may_be_dataset(node: ast.ClassDef) -> bool:
    """Whether a class has the methods of a dataset, or a base that is called one."""
    return bool(node.bases) and (_acts(node) or _is_based_on_dataset(node))


def _may_be_dataset_of_others(node: ast.AST) -> bool:
    """Whether a class both acts like a dataset and has a base that is called one."""
    return isinstance(node, ast.ClassDef) and _acts(node) and _is_based_on_dataset(node)


def _acts(node: ast.ClassDef) -> bool:
    return any(isinstance(i, ast.FunctionDef) and i.name in _METHODS for i in node.body)


def _is_based_on_dataset(node: ast.ClassDef) -> bool:
    return any("ataset" in last_of(base) for base in node.bases)
