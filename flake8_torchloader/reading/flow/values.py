"""Which constants an expression may have: literals, arithmetic, argparse and dataclass defaults."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import replace

import libcst as cst

from flake8_torchloader.module import UNKNOWN, Basis, Constant, Value
from flake8_torchloader.reading.flow.leaves import Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression, Frame

_DEEPEST = 12
"""How many operations deep an expression is computed."""

_MOST = 16
"""How many constants are told apart before a value counts as unknown."""

Number = int | float
_ARITHMETIC: dict[type, Callable[[Number, Number], Number]] = {
    cst.Add: operator.add,
    cst.Subtract: operator.sub,
    cst.Multiply: operator.mul,
    cst.FloorDivide: operator.floordiv,
    cst.Divide: operator.truediv,
    cst.LeftShift: lambda a, b: int(a) << min(int(b), 64),
    cst.Power: lambda a, b: float(a) ** min(b, 64),
}
_CONSTANTS = {"builtins.None": None, "builtins.True": True, "builtins.False": False}
_EITHER = Value((False, True), complete=True)
"""What a test may come to."""

_LARGEST = 2.0**63
_WRAPPERS: dict[str, Callable[[Number], Number]] = {
    "builtins.int": int, "builtins.float": float, "builtins.abs": abs, "builtins.bool": bool, "builtins.round": round,
}  # fmt: skip
_CHOOSERS: dict[str, Callable[[Iterable[Number]], Number]] = {"builtins.min": min, "builtins.max": max}


class Values:
    """Computes the constants of one file's expressions."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._options: dict[str, list[Expression]] | None = None
        self._known: dict[tuple[int, Frame | None], Value] = {}
        self._depth = 0

    def value(self, expression: Expression) -> Value:
        """The constants that an expression may have."""
        key = (id(expression.node), expression.frame)
        if key in self._known:
            return self._known[key]
        if self._depth > _DEEPEST:
            return UNKNOWN
        self._depth += 1
        self._known[key] = UNKNOWN
        try:
            self._known[key] = self._value(expression)
        finally:
            self._depth -= 1
        return self._known[key]

    def _value(self, expression: Expression) -> Value:
        node = expression.node
        match node:
            case cst.Integer() | cst.Float():
                return _known(node.evaluated_value)
            case cst.SimpleString():
                text = node.evaluated_value
                return _known(text) if isinstance(text, str) else UNKNOWN
            case cst.UnaryOperation(operator=cst.Minus()):
                return self._map(lambda x: -x, expression.of(node.expression))
            case cst.BinaryOperation():
                return self._arithmetic(expression, node)
            case cst.Name(value="True" | "False" | "None"):
                return _known({"True": True, "False": False, "None": None}[node.value])
            case cst.IfExp():
                return self.union([expression.of(node.body), expression.of(node.orelse)])
            case cst.Comparison() | cst.UnaryOperation(operator=cst.Not()):
                return _EITHER
            case cst.Call(args=[arg]) if self.names.callee_name(expression) in _WRAPPERS:
                return self._convert(_WRAPPERS[self.names.callee_name(expression)], expression.of(arg.value))
            case cst.Call() if self.names.callee_name(expression) in _CHOOSERS:
                return self._choose(expression, node)
        return self._join(self._leaf(leaf, node) for leaf in self.names.sources(expression))

    def union(self, expressions: Iterable[Expression]) -> Value:
        """The constants that any of several expressions may have."""
        return self._join(self.value(expression) for expression in expressions)

    @staticmethod
    def _join(values: Iterable[Value]) -> Value:
        parts = list(values)
        constants = tuple(dict.fromkeys(c for part in parts for c in part.constants))
        complete = bool(parts) and len(constants) <= _MOST and all(part.complete for part in parts)
        most = math.inf if complete else max((part.largest for part in parts), default=math.inf)
        return Value(constants, complete, _weakest(parts), most)

    def _leaf(self, leaf: Leaf, asked: cst.CSTNode) -> Value:
        if isinstance(leaf, Imported) and leaf.name in _CONSTANTS:
            return _known(_CONSTANTS[leaf.name])
        if not isinstance(leaf, Literal):
            return UNKNOWN
        node = leaf.node
        if isinstance(node, cst.Call):
            return self._looked_up(leaf.expression, node) if node is asked else self.value(leaf.expression)
        if node is asked or isinstance(node, (cst.Attribute, cst.Subscript)):
            return self._option(leaf.expression)
        return self.value(leaf.expression)

    def _arithmetic(self, expression: Expression, node: cst.BinaryOperation) -> Value:
        left, right = (self.value(expression.of(side)) for side in (node.left, node.right))
        compute = _ARITHMETIC.get(type(node.operator))
        if compute is None or not (left.complete and right.complete):
            return UNKNOWN
        found: list[Constant] = []
        for a in left.constants:
            for b in right.constants:
                if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
                    return UNKNOWN
                try:
                    result = compute(a, b)
                except (ArithmeticError, ValueError):
                    return UNKNOWN
                if not abs(result) < _LARGEST:
                    return UNKNOWN
                found.append(int(result) if result == int(result) else result)
        return self._join([Value(tuple(found), complete=True, basis=_weakest([left, right]))])

    def _map(self, compute: Callable[[Number], Number], inner: Expression) -> Value:
        value = self.value(inner)
        if not value.complete or not all(isinstance(c, (int, float)) for c in value.constants):
            return UNKNOWN
        return replace(value, constants=tuple(compute(c) for c in value.constants if isinstance(c, (int, float))))

    def _convert(self, convert: Callable[[Number], Number], inner: Expression) -> Value:
        """`int(x)`; what is no number, such as `int(os.environ["N"])`, stays as it is, but for its sign."""
        value = self.value(inner)
        is_number = value.complete and all(isinstance(c, (int, float)) and math.isfinite(c) for c in value.constants)
        if is_number:
            return self._map(convert, inner)
        return _EITHER if convert is bool else replace(value, most=value.most if convert is int else math.inf)

    def _choose(self, call: Expression, node: cst.Call) -> Value:
        """`min(8, os.cpu_count())`: known if each part is; `min(x, 0)` is 0 or less whatever x is."""
        choose = _CHOOSERS[self.names.callee_name(call)]
        parts = [self.value(call.of(arg.value)) for arg in node.args if not arg.star and arg.keyword is None]
        numbers = [part.only for part in parts]
        known = [n for n in numbers if isinstance(n, (int, float))]
        basis = _weakest(parts)
        if choose is min and 0 in known:
            return replace(_known(0), basis=basis)
        if known and len(known) == len(numbers):
            return replace(_known(choose(known)), basis=basis)
        is_bounded = choose is min and len(node.args) > 1 and all(arg.keyword is None for arg in node.args)
        return Value(most=min(part.largest for part in parts)) if is_bounded and parts else UNKNOWN

    def _looked_up(self, call: Expression, node: cst.Call) -> Value:
        """`config.get("workers", 0)`, `getattr(config, "workers", 0)`: the default, where nothing else is known."""
        has_default = last_name(node) == "get" and len(node.args) == 2
        has_default |= self.names.callee_name(call) == "builtins.getattr" and len(node.args) == 3
        return replace(self.value(call.of(node.args[-1].value)), basis=Basis.FALLBACK) if has_default else UNKNOWN

    # --- options of the command line and of configuration objects

    def _option(self, expression: Expression) -> Value:
        """`args.workers`, `cfg["workers"]`: the default that the file itself declares, if it does."""
        node = expression.node
        key: object = None
        if isinstance(node, cst.Attribute):
            key = node.attr.value
        elif isinstance(node, cst.Subscript) and isinstance(index := node.slice[0].slice, cst.Index):
            key = index.value.evaluated_value if isinstance(index.value, cst.SimpleString) else None
        declared = self._declared().get(key, []) if isinstance(key, str) else []
        written = [value for target, value in self.names.file.outer if _attribute(target) == key]
        default = replace(self.union(declared), basis=Basis.OPTION)
        if written:
            is_sure = any(value.spot.block.is_certain for value in written)
            return self.union(written) if is_sure or not declared else self._join([self.union(written), default])
        return default if len(declared) == 1 and self._may_be_options(expression) else UNKNOWN

    def _may_be_options(self, expression: Expression) -> bool:
        """Whether the object may be what a parser returned: nothing else is known of it."""
        node = expression.node
        base = node.value if isinstance(node, (cst.Attribute, cst.Subscript)) else node
        leaves = self.names.sources(expression.of(base))
        return not any(isinstance(leaf, Imported) or self.names.instance_of(leaf) for leaf in leaves)

    def _declared(self) -> dict[str, list[Expression]]:
        """The defaults of `add_argument` calls by attribute name."""
        if self._options is None:
            self._options = {}
            for call in self.names.file.calls:
                self._declare(call)
        return self._options

    def _declare(self, call: Expression) -> None:
        node = call.node
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return
        if node.func.attr.value not in ("add_argument", "add_arg", "DEFINE_integer", "DEFINE_int"):
            return
        keywords = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
        flags = [
            str(arg.value.evaluated_value)
            for arg in node.args
            if arg.keyword is None and isinstance(arg.value, cst.SimpleString)
        ]
        long = [flag for flag in flags if flag.startswith("--")] or flags
        if "dest" in keywords and isinstance(dest := keywords["dest"], cst.SimpleString):
            long = [str(dest.evaluated_value)]
        default = keywords.get("default")
        if node.func.attr.value.startswith("DEFINE") and len(node.args) > 1:
            default = node.args[1].value
        if not long or default is None or self._options is None:
            return
        name = long[0].lstrip("-").replace("-", "_")
        self._options.setdefault(name, []).append(call.of(default))


def _weakest(parts: Iterable[Value]) -> Basis:
    return max((part.basis for part in parts), default=Basis.WRITTEN)


def _attribute(target: Expression) -> str:
    return target.node.attr.value if isinstance(target.node, cst.Attribute) else ""


def _known(constant: object) -> Value:
    if constant is None or isinstance(constant, (bool, int, float, str)):
        return Value((constant,), complete=True)
    return UNKNOWN
