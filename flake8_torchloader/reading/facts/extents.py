"""How many bytes an array takes that is made of a given shape."""

from __future__ import annotations

import math
from collections.abc import Iterator

import libcst as cst

from flake8_torchloader.module import Constant
from flake8_torchloader.reading.flow.leaves import Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.known import DTYPES, MAKERS
from flake8_torchloader.reading.tree.scopes import Expression

ROW = 128
"""Elements of each row from which on an array with an unknown number of rows may be large."""

_DIMENSIONS = 4
"""Unknown extents from which on an array is no table or matrix, but data."""

_ENDLESS = 2.0**63


class Extents:
    """Reads the shapes that the makers of arrays are given."""

    def __init__(self, names: Names, values: Values) -> None:
        self.names = names
        self.values = values

    def bytes_made(self, at: Expression, node: cst.Call, name: str) -> Iterator[int | None]:
        """The size of what a maker makes: None if it may be large and only a run tells, nothing if it can't be."""
        extents = self._extents(at, node, name)
        if not extents:
            return
        counts = [self.values.value(extent).constants for extent in extents]
        known = [self._largest(constants) for constants in counts if constants]
        if len(known) == len(counts):
            yield math.prod(known) * self._itemsize(at, node, name)
        elif math.prod(known) >= ROW or len(counts) - len(known) >= _DIMENSIONS:
            yield None

    @staticmethod
    def _largest(constants: tuple[Constant, ...]) -> int:
        return max((int(c) for c in constants if isinstance(c, (int, float)) and abs(c) < _ENDLESS), default=0)

    def _extents(self, at: Expression, node: cst.Call, name: str) -> list[Expression]:
        plain = [arg for arg in node.args if arg.keyword is None and not arg.star]
        named = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
        position = MAKERS[name]
        if position is None:
            return [at.of(arg.value) for arg in plain]
        shape = named.get("size", named.get("shape", plain[position].value if position < len(plain) else None))
        if shape is None:
            return []
        for leaf in self.names.sources(at.of(shape)):
            if isinstance(leaf, Literal) and isinstance(leaf.node, (cst.Tuple, cst.List)):
                return [leaf.expression.of(element.value) for element in leaf.node.elements]
        return [at.of(shape)]

    def _itemsize(self, at: Expression, node: cst.Call, name: str) -> int:
        """Bytes per element: of the given dtype, else of what numpy makes by default (8)."""
        given = [a for a in node.args if a.keyword is not None and a.keyword.value == "dtype"]
        if not given and name in ("numpy.zeros", "numpy.ones", "numpy.empty") and len(node.args) > 1:
            given = [node.args[1]]
        for arg in given:
            dtype = self.names.name_of(at.of(arg.value)) or str(self.values.value(at.of(arg.value)).only)
            return DTYPES.get(dtype.rpartition(".")[2], 8)
        return 8
