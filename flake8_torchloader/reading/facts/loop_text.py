"""What the text of a loop shows of how it goes through its data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import libcst as cst

from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.walk import below

_NUMBERS = re.compile(r"^n$|^n_|^num|_num$|len|size|count|total", re.IGNORECASE)
"""What a number of items is called."""

_RANKS = re.compile(r"rank|world|replica|gpu|node|dist", re.IGNORECASE)


def orders(call: cst.Call) -> bool:
    """Whether a call puts the numbers of so many things into an order: `rng.permutation(count)`."""
    node = call.args[0].value if last_name(call) == "permutation" and call.args else None
    is_named = isinstance(node, (cst.Name, cst.Attribute)) and bool(_NUMBERS.search(last_name(node)))
    return is_named or isinstance(node, (cst.Integer, cst.BinaryOperation))


def yields(loop: cst.For | cst.While) -> bool:
    """Whether a loop gives items."""
    return any(isinstance(node, cst.Yield) for node in below(loop))


def identifiers(nodes: Iterable[cst.CSTNode]) -> Iterator[str]:
    """The names that stand in some nodes: of variables, attributes and keywords."""
    for node in nodes:
        match node:
            case cst.Name(value=name):
                yield name
            case cst.Attribute(attr=cst.Name(value=name)):
                yield name
            case cst.Arg(keyword=cst.Name(value=name)):
                yield name


def goes_on(loop: cst.For) -> bool:
    """Whether the body of a loop goes through what the loop gives, one thing after the other."""
    targets = set(identifiers(below(loop.target)))
    loops = (node for node in below(loop.body) if isinstance(node, (cst.For, cst.CompFor, cst.From)))
    inner = (node.item if isinstance(node, cst.From) else node.iter for node in loops)
    return any(isinstance(node, cst.Name) and node.value in targets for node in map(_counted, inner))


def _counted(node: cst.CSTNode) -> cst.CSTNode:
    """What `enumerate(x)` and `iter(x)` go through."""
    is_same = isinstance(node, cst.Call) and bool(node.args) and last_name(node) in ("enumerate", "iter", "tqdm")
    return node.args[0].value if is_same and isinstance(node, cst.Call) else node


def looks_up(loop: cst.For) -> bool:
    """Whether what is counted is itself given, or looks something up."""
    targets = set(identifiers(below(loop.target)))
    for node in below(loop.body):
        if isinstance(node, cst.SubscriptElement) and targets & set(identifiers(below(node))):
            return True
        if isinstance(node, cst.Yield) and isinstance(node.value, cst.Name) and node.value.value in targets:
            return True
    return False


def is_rank(node: cst.CSTNode) -> bool:
    """Whether an expression speaks of distributed processes, each of which has workers of its own."""
    return any(_RANKS.search(name) for name in identifiers(below(node)))


def steps(node: cst.CSTNode) -> bool:
    """Whether every n-th item is taken, by an n that is no number of ranks."""
    for inner in below(node):
        match inner:
            case cst.Slice(step=cst.BaseExpression() as step):
                if not isinstance(step, (cst.Integer, cst.UnaryOperation)) and not is_rank(inner):
                    return True
            case cst.Call(args=[_, _, _, _]) if last_name(inner) == "islice":
                if not is_rank(inner):
                    return True
    return False
