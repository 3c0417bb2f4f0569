"""Which expressions name a CUDA device, and which calls put something on one."""

from __future__ import annotations

import re

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Defined, Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.values import Values
from flake8_torchloader.reading.tree.guards import dotted, last_name
from flake8_torchloader.reading.tree.scopes import Expression, Scope

_DEEPEST = 6
"""How many calls of `torch.device`, or of methods one after the other, are looked into."""

_OPTIONS = re.compile(r"arg|opt|cfg|conf|param|flag|setting", re.IGNORECASE)
"""Objects whose attributes come from the command line: a tensor has a `.device` as well."""

_INITIALISERS = frozenset({
    "init", "set_device", "current_device", "synchronize", "get_device_name", "get_device_properties",
    "get_device_capability", "current_stream", "default_stream", "mem_get_info", "memory_summary", "utilization",
    "get_rng_state", "get_rng_state_all", "is_bf16_supported", "set_per_process_memory_fraction", "FloatTensor",
    "LongTensor", "HalfTensor", "ByteTensor", "DoubleTensor", "IntTensor", "BoolTensor", "ipc_collect",
    "reset_peak_memory_stats", "can_device_access_peer", "initial_seed",
})  # fmt: skip
"""What of `torch.cuda` initialises CUDA, as measured with torch 2.11 on an H100.

`is_available`, `device_count`, `manual_seed`, `empty_cache`, `device`, `Event` and `Stream` do not.
"""

_MAKERS = {"new_tensor", "new_zeros", "new_ones", "new_full", "new_empty"}
"""Methods of a tensor that make another one, on the device that they are given."""

_MENTIONS = re.compile(r"cuda|device|map_location|\.\s*to\b")
"""What a function says that uses CUDA by itself."""

_DEVICE_KEYWORDS = ("device", "map_location")
_METHODS = {"cuda", "to", *_MAKERS, *_INITIALISERS}

_LEAVES_CUDA = {"cpu", "numpy", "tolist", "item"}
"""Methods whose result lies in the memory of the host again."""

_TENSOR_TYPES = ("torch.Tensor", "torch.FloatTensor", "torch.LongTensor", "torch.autograd.Variable")
_NO_TENSOR = {"torch.device", "torch.load", "torch.compile", "torch.manual_seed", "torch.no_grad"}

_ONLY_NAMES_DEVICE = {"torch.device", "torch.Generator", "torch.amp.GradScaler", "torch.set_default_device"}
"""What is given a device and leaves it alone for now."""


class Devices:
    """Answers what the expressions of one file have to do with CUDA."""

    def __init__(self, names: Names, values: Values) -> None:
        self.names = names
        self.values = values

    def is_cuda(self, device: Expression, depth: int = 0) -> bool:
        """Whether all that a device may be is known, and one of it is a CUDA device."""
        found = [self._is_cuda_leaf(leaf, depth) for leaf in self.names.sources(device)]
        return any(found) and None not in found

    def _is_cuda_leaf(self, leaf: Leaf, depth: int) -> bool | None:
        """Whether this is a CUDA device; None where that isn't known."""
        if leaf == Imported("builtins.None"):
            return False
        if not isinstance(leaf, Literal) or depth > _DEEPEST:
            return None
        node, at = leaf.node, leaf.expression
        match node:
            case cst.FormattedString(parts=[cst.FormattedStringText(value=text), *_]):
                return text.startswith("cuda")
            case cst.BinaryOperation(operator=cst.Add(), left=left):
                return self._is_text_of_cuda(at.of(left))
            case cst.Call():
                return self._is_made_cuda(at, node, depth)
            case cst.Attribute(value=base) if not _OPTIONS.search(dotted(base).rpartition(".")[2]):
                return None
        return self._is_text_of_cuda(at)

    def _is_made_cuda(self, call: Expression, node: cst.Call, depth: int) -> bool | None:
        """`torch.device("cuda", 0)`; any other call gives an unknown device."""
        name = self.names.callee_name(call)
        if name == "torch.cuda.current_device":
            return True
        if name != "torch.device" or not node.args:
            return None
        found = [self._is_cuda_leaf(leaf, depth + 1) for leaf in self.names.sources(call.of(node.args[0].value))]
        return None if None in found else any(found)

    def _is_text_of_cuda(self, expression: Expression) -> bool | None:
        value = self.values.value(expression)
        texts = [text for text in value.constants if isinstance(text, str)]
        return any(text.startswith("cuda") for text in texts) if texts and value.complete else None

    # --- calls

    def may_use(self, function: Scope) -> bool:
        """Whether a function may use CUDA by itself, as far as its text tells, or else its file's."""
        text, file = self.names.text_of(function), self.names.other_file(function)
        return text is None or file is None or file.imports("cuda") or _MENTIONS.search(text) is not None

    def use(self, call: Expression) -> str:
        """How a call uses CUDA, as a message shows it; "" if it isn't known to."""
        node = call.node
        if not isinstance(node, cst.Call) or not _may_be_use(node):
            return ""
        leaves = self.names.callee(call)
        if any(isinstance(leaf, Defined) for leaf in leaves):
            return ""
        name = self.names.callee_name(call)
        if name.startswith("torch.cuda."):
            return name if name.removeprefix("torch.cuda.") in _INITIALISERS else ""
        if name.startswith("torch."):
            is_use = name not in _ONLY_NAMES_DEVICE and self._is_given_cuda(call, node, _DEVICE_KEYWORDS)
            return name if is_use else ""
        is_method = isinstance(node.func, cst.Attribute) and not any(isinstance(leaf, Imported) for leaf in leaves)
        return self._method_use(call, node) if is_method else ""

    def _method_use(self, call: Expression, node: cst.Call) -> str:
        method = last_name(node)
        if method == "cuda":
            return ".cuda()"
        if method == "to":
            given = [arg.value for arg in node.args[:1] if arg.keyword is None and not arg.star]
            is_cuda = any(self.is_cuda(call.of(value)) for value in given)
            return ".to(device)" if is_cuda or self._is_given_cuda(call, node, ("device",)) else ""
        return f".{method}()" if method in _MAKERS and self._is_given_cuda(call, node, ("device",)) else ""

    def _is_given_cuda(self, call: Expression, node: cst.Call, keywords: tuple[str, ...]) -> bool:
        given = (arg.value for arg in node.args if arg.keyword is not None and arg.keyword.value in keywords)
        return any(self.is_cuda(call.of(value)) for value in given)

    def kept(self, expression: Expression) -> Expression | None:
        """The call that put a value on a CUDA device, if the value is still there: `Net().cuda().eval()`."""
        at = expression
        for _ in range(_DEEPEST):
            if not isinstance(at.node, cst.Call) or last_name(at.node) in _LEAVES_CUDA:
                return None
            if self.use(at):
                return at
            if not isinstance(at.node.func, cst.Attribute) or last_name(at.node) == "to":
                return None
            at = at.of(at.node.func.value)
        return None

    def is_on_tensor(self, call: Expression) -> bool:
        """Whether a method is called on what is known to be a tensor: made by torch, whatever was done to it since."""
        func = call.node.func if isinstance(call.node, cst.Call) else None
        return isinstance(func, cst.Attribute) and self._is_tensor(call.of(func.value), 0)

    def _is_tensor(self, expression: Expression, depth: int) -> bool:
        leaves = self.names.sources(expression) if depth < _DEEPEST else []
        return bool(leaves) and all(self._is_tensor_leaf(leaf, depth) for leaf in leaves)

    def _is_tensor_leaf(self, leaf: Leaf, depth: int) -> bool:
        if not isinstance(leaf, Literal) or not isinstance(leaf.node, cst.Call):
            return False
        name = self.names.callee_name(leaf.expression)
        if name.startswith("torch."):
            is_function = name.count(".") == 1 and name.islower() and name not in _NO_TENSOR
            return is_function or name in _TENSOR_TYPES
        func = leaf.node.func
        return isinstance(func, cst.Attribute) and self._is_tensor(leaf.expression.of(func.value), depth + 1)


def _may_be_use(call: cst.Call) -> bool:
    """Whether a call may use CUDA, as far as what stands behind its last dot, and its keywords, tell."""
    is_method = isinstance(call.func, cst.Attribute)
    keywords = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    return not is_method or last_name(call) in _METHODS or not keywords.isdisjoint(_DEVICE_KEYWORDS)
