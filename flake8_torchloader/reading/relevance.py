"""The second gate: on the tree that flake8 already has, before libcst is imported."""

from __future__ import annotations

import ast
from enum import Enum
from functools import partial
from itertools import chain

from flake8_torchloader.gate import INITS, SETTER, speaks_of_torch
from flake8_torchloader.reading.known import LIBRARIES
from flake8_torchloader.reading.tree.syntax import levels

_LIBRARIES = ("torchvision", "torchaudio", "torchvision.datasets", "torchaudio.datasets")
_TELLING = {ast.ClassDef, ast.FunctionDef, ast.Call, ast.ImportFrom, ast.Import, ast.Attribute}
"""The kinds of node that can show it; most nodes are of none of them."""

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
    return "DistributedSampler" in text and "set_epoch" not in text and "sampler.epoch = " not in text


class Interest(Enum):
    """What of a file the rules may speak of."""

    NOTHING = "nothing"
    DATASETS = "its datasets, whatever loads them"
    ALL = "its loaders and all that they need"


def interest_in(tree: ast.Module, text: str) -> Interest:
    """Whether a file makes a loader with workers, defines a dataset, or makes one of a known library."""
    telling = (node for level in levels(tree) for node in level if type(node) in _TELLING)
    speaks_of_workers = "workers" in text or "create_loader" in text or may_lack_epochs(text)
    is_candidate = partial(_is_candidate, speaks_of_workers=speaks_of_workers)
    candidates = filter(is_candidate if speaks_of_torch(text) else _may_be_dataset_of_others, telling)
    first = next(candidates, None)
    if first is None:
        return Interest.NOTHING
    if _sounds_like_loader(text):
        return Interest.ALL
    is_for_loaders = any(not isinstance(node, ast.ClassDef) for node in chain([first], candidates))
    return Interest.ALL if is_for_loaders else Interest.DATASETS


def _is_candidate(node: ast.AST, *, speaks_of_workers: bool) -> bool:
    match node:
        case ast.ClassDef():
            return _may_be_dataset(node)
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
            may_have_workers = speaks_of_workers or str(module).partition(".")[0] not in LIBRARIES
            is_loader = may_have_workers and any(_sounds_like_loader(alias.name) for alias in aliases)
            return is_loader or (module in _LIBRARIES and brings)
        case ast.Import(names=aliases):
            return any(alias.name in _LIBRARIES and alias.name.endswith(".datasets") for alias in aliases)
        case ast.Attribute(attr="datasets", value=ast.Name(id=name)):
            return name in _LIBRARIES
        case ast.Attribute(attr=name):
            return speaks_of_workers and _sounds_like_loader(name)
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
    names = (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases)
    return any("ataset" in name for name in names)
