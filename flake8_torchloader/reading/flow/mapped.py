"""Functions that are called once for each element: `map(load, files)`, `pool.map(...)`, joblib's `Parallel`."""

from __future__ import annotations

import libcst as cst

from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression

_METHODS = {"map", "imap", "imap_unordered", "starmap", "apply"}
"""Methods of pools, executors and tables that call the function they are given first, at once."""

_DELAYED = ("joblib.delayed", "sklearn.utils.parallel.delayed")


def mapped(names: Names, call: Expression) -> Expression | None:
    """The function that a call calls once for each element, if it is such a call."""
    node = call.node
    if not isinstance(node, cst.Call) or not node.args:
        return None
    is_method = isinstance(node.func, cst.Attribute) and last_name(node) in _METHODS
    if is_method or names.callee_name(call) == "builtins.map":
        return call.of(node.args[0].value)
    return _delayed(names, call, node) if isinstance(node.func, cst.Call) and len(node.args) == 1 else None


def _delayed(names: Names, call: Expression, node: cst.Call) -> Expression | None:
    """The function `load` of `Parallel(n_jobs=8)(delayed(load)(file) for file in files)`."""
    each = node.args[0].value
    if not isinstance(each, (cst.GeneratorExp, cst.ListComp)) or not isinstance(each.elt, cst.Call):
        return None
    delayed = names.containers.inside(call, each, each.elt.func)
    if not isinstance(delayed.node, cst.Call) or names.callee_name(delayed) not in _DELAYED or not delayed.node.args:
        return None
    return delayed.of(delayed.node.args[0].value)
