"""Defaults that a constructor chooses itself: `fn or default`, `fn if fn is not None else default`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from flake8_torchloader.reading.tree.scopes import Binding, Expression, How, Parameter, reaching


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that is what a parameter was given, or a default where nothing was."""

    parameter: Parameter
    default: Expression


def choice(value: Expression) -> Choice | None:
    """How `__init__` chooses between its argument and a default, if that is all that a value is."""
    node = value.node
    match node:
        case cst.BooleanOperation(left=cst.Name(value=name), operator=cst.Or()):
            return _choice(value, name, value.of(node.right))
        case cst.IfExp():
            given, default = (node.orelse, node.body) if _is_absent(node.test) else (node.body, node.orelse)
            is_tested = isinstance(given, cst.Name) and given.value in (_is_absent(node.test), _is_present(node.test))
            return _choice(value, given.value, value.of(default)) if is_tested and isinstance(given, cst.Name) else None
        case cst.Name(value=name):
            chosen = [b for b in reaching(name, value.spot) if b.how is not How.PARAMETER]
            default_ = chosen[0].value if len(chosen) == 1 and _fills_in(chosen[0], name) else None
            return _choice(value, name, default_) if default_ is not None else None
    return None


def _choice(value: Expression, name: str, default: Expression) -> Choice | None:
    function = value.spot.scope.function
    parameters = function.parameters if function is not None and function.name == "__init__" else ()
    return next((Choice(one, default) for one in parameters if one.name == name and not one.star), None)


def _fills_in(binding: Binding, name: str) -> bool:
    """Whether a name gets a value in a branch that is taken where it has none."""
    test = binding.spot.block.test
    return binding.how is How.VALUE and not binding.path and test is not None and _is_absent(test) == name


def _is_absent(test: cst.CSTNode) -> str:
    """The name of which a test says that it is None or nothing; empty if it says something else."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=cst.Name(value=name)):
            return name
        case cst.Comparison(left=cst.Name(value=name), comparisons=[only]):
            return name if isinstance(only.operator, (cst.Is, cst.Equal)) and _is_none(only.comparator) else ""
    return ""


def _is_present(test: cst.CSTNode) -> str:
    """The name of which a test says that it is something, not None."""
    match test:
        case cst.Name(value=name):
            return name
        case cst.Comparison(left=cst.Name(value=name), comparisons=[only]):
            return name if isinstance(only.operator, (cst.IsNot, cst.NotEqual)) and _is_none(only.comparator) else ""
    return ""


def _is_none(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
