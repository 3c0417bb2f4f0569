"""What attributes are turned into, some time after they were set."""

from __future__ import annotations

import libcst as cst

from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.scopes import Scope
from flake8_torchloader.reading.tree.walk import below


class Conversions:
    """Answers whether the attributes of a class become tensors, or something unknown, in the end."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def are_unknown(self, scope: Scope) -> bool:
        """Whether a class computes values for attributes of computed names: nothing is known of what it then has."""
        for call in (call for method in scope.methods() for call in self.names.calls_in(method)):
            args = [arg.value for arg in call.node.args] if isinstance(call.node, cst.Call) else []
            if len(args) == 3 and self.names.callee_name(call) == "builtins.setattr":
                if not isinstance(args[1], cst.SimpleString) and isinstance(args[2], cst.Call):
                    return True
        return False

    def ends_as_tensor(self, scope: Scope, attribute: str) -> bool:
        """Whether an attribute becomes a tensor unless it is one: `x if torch.is_tensor(x) else torch.tensor(x)`."""
        for binding in scope.attributes[attribute]:
            node = binding.value.node if binding.value is not None else None
            test = node.test if isinstance(node, cst.IfExp) else binding.spot.block.test
            value = node.orelse if isinstance(node, cst.IfExp) else node
            if test is None or value is None or binding.value is None or not _asks_for_tensor(test):
                continue
            if self.names.callee_name(binding.value.of(value)).startswith("torch."):
                return True
        return False


def _asks_for_tensor(test: cst.CSTNode) -> bool:
    words = {node.value for node in below(test) if isinstance(node, cst.Name)}
    return "is_tensor" in words or "isinstance" in words and not words.isdisjoint({"Tensor", "ndarray"})
