"""What the annotations of parameters say of the values that are given for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Binding, Expression, How
from flake8_torchloader.reading.tree.walk import below

_CONTAINERS = {
    "List", "list", "Dict", "dict", "Tuple", "tuple", "Set", "set", "FrozenSet", "frozenset", "Mapping", "Sequence",
    "MutableMapping", "MutableSequence", "OrderedDict", "DataFrame", "ndarray",
}  # fmt: skip
"""Types of which a value is there as a whole, before anybody goes through it."""

_CHOICES = {"Optional", "Union"}
_STREAMS = re.compile(r"iter|stream|dataset|loader|generator|reader|any$|callable|object", re.IGNORECASE)
"""Types of elements that may give more, and only a part of it to each worker."""


def is_said_to_be_container(expression: Expression) -> bool:
    """Whether a name, or an attribute of `self`, only ever gets a parameter that is said to be a container."""
    bindings = list(_bindings(expression))
    return bool(bindings) and all(map(_is_said, bindings))


def _bindings(expression: Expression) -> Iterator[Binding]:
    node, function = expression.node, expression.spot.scope.function
    if isinstance(node, cst.Name):
        yield from expression.spot.scope.find(node.value)[1]
    elif isinstance(node, cst.Attribute) and function is not None and function.owner is not None:
        if isinstance(node.value, cst.Name) and node.value.value == function.receiver:
            yield from function.owner.attributes.get(node.attr.value, ())


def _is_said(binding: Binding) -> bool:
    """Whether a binding is a parameter of such a type, or is given one."""
    if binding.how is How.PARAMETER:
        function = binding.target
        return function is not None and _is_container(_annotation(function.node, binding.name))
    value = binding.value
    is_plain = binding.how is How.VALUE and not binding.path and value is not None and isinstance(value.node, cst.Name)
    return is_plain and value is not None and is_said_to_be_container(value)


def _annotation(function: cst.CSTNode, name: str) -> cst.CSTNode | None:
    params = function.params if isinstance(function, cst.FunctionDef) else cst.Parameters()
    for one in (*params.posonly_params, *params.params, *params.kwonly_params):
        if one.name.value == name and one.annotation is not None:
            return one.annotation.annotation
    return None


def _is_container(said: cst.CSTNode | None) -> bool:
    match said:
        case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
            return all(_is_container(side) for side in (left, right) if not _is_none(side))
        case cst.Subscript(value=outer, slice=inner) if last_name(outer) in _CHOICES:
            chosen = [one.slice.value for one in inner if isinstance(one.slice, cst.Index)]
            return all(_is_container(one) for one in chosen if not _is_none(one))
        case cst.Subscript(value=outer) | (cst.Name() | cst.Attribute() as outer):
            names = [node.value for node in below(said) if isinstance(node, cst.Name)]
            return last_name(outer) in _CONTAINERS and not any(_STREAMS.search(name) for name in names)
    return False


def _is_none(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
