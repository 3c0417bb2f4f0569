"""The branches of another file's function that one run of it is seen not to take."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from flake8_torchloader.module import Basis
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.tree.guards import leaves
from flake8_torchloader.reading.tree.scopes import Expression
from flake8_torchloader.reading.tree.walk import below

_COMPARISONS: dict[type, Callable[[float, float], bool]] = {
    cst.GreaterThan: operator.gt, cst.GreaterThanEqual: operator.ge, cst.LessThan: operator.lt,
    cst.LessThanEqual: operator.le, cst.Equal: operator.eq, cst.NotEqual: operator.ne,
}  # fmt: skip


class Branches:
    """Answers whether what a function is given keeps a line of it from being run."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def exclude(self, expression: Expression) -> bool:
        """Whether a test that leads to an expression, in its own function, is known to lead elsewhere."""
        return any(self._truth(test) is (not is_wanted) for test, is_wanted in self._tests(expression))

    def _tests(self, expression: Expression) -> Iterator[tuple[Expression, bool]]:
        """The tests on which it rests that an expression is run, and what each of them must come to."""
        function = expression.spot.scope.function
        for node in below(function.node) if function is not None else ():
            match node:
                case cst.If() | cst.IfExp():
                    sides = ((node.body, True), (node.orelse, False))
                    holding = [is_body for side, is_body in sides if side is not None and _holds(side, expression)]
                    yield from ((expression.of(node.test), is_body) for is_body in holding)
                case cst.IndentedBlock(body=lines):
                    yield from ((expression.of(test), False) for test in _ways_out(lines, expression))

    def _truth(self, test: Expression) -> bool | None:
        """What a test comes to, by what is written down; options of a command line may be anything."""
        match test.node:
            case cst.UnaryOperation(operator=cst.Not(), expression=inner):
                truth = self._truth(test.of(inner))
                return None if truth is None else not truth
            case cst.Comparison(left=left, comparisons=[only]):
                compare = _COMPARISONS.get(type(only.operator))
                sides = [self.values.value(test.of(side)) for side in (left, only.comparator)]
                numbers = [value.only for value in sides if value.basis is Basis.WRITTEN]
                known = [number for number in numbers if isinstance(number, (int, float))]
                return compare(*known) if compare is not None and len(known) == len(sides) else None
        value = self.values.value(test)
        is_written = value.complete and len(value.constants) == 1 and value.basis is Basis.WRITTEN
        return bool(value.constants[0]) if is_written else None


def _holds(code: cst.CSTNode, expression: Expression) -> bool:
    return any(one is expression.node for one in below(code))


def _ways_out(lines: Sequence[cst.CSTNode], expression: Expression) -> list[cst.CSTNode]:
    """The tests of those lines before that of an expression which end the function where they hold."""
    at = next((number for number, line in enumerate(lines) if _holds(line, expression)), 0)
    before = (line for line in lines[:at] if isinstance(line, cst.If) and line.orelse is None)
    return [line.test for line in before if any(map(leaves, line.body.body))]
