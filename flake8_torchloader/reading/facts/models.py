"""The networks that a file builds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

import libcst as cst

from flake8_torchloader.module import Model
from flake8_torchloader.reading.flow.callbacks import FITS
from flake8_torchloader.reading.flow.leaves import Imported, Leaf, Literal
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.flow.places import Places
from flake8_torchloader.reading.known import MODEL_BASES, MODEL_MAKERS, MODEL_PACKAGES
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression, Scope, Spot
from flake8_torchloader.reading.tree.walk import below

_SAME_MODEL = {
    "to", "cuda", "cpu", "train", "eval", "half", "float", "double", "bfloat16", "requires_grad_", "apply", "type",
    "share_memory", "to_empty",
}  # fmt: skip
"""Methods of a network that give back the network."""

_WRAPPERS = {
    "DataParallel", "DistributedDataParallel", "DDP", "compile", "convert_sync_batchnorm", "prepare", "to_hetero",
    "deepcopy", "initialize", "optimize",
}  # fmt: skip
"""Functions and classes that give back the network they are given, or one around it."""

_NO_NETWORKS = ("Tokenizer", "Processor", "FeatureExtractor", "Config", "Scheduler", "Dataset")
_PARAMETERS = {"parameters", "named_parameters"}
_TRAINERS = {"pytorch_lightning.Trainer", "lightning.Trainer", "lightning.pytorch.Trainer"}
_NAMED = re.compile(r"(^|[._])(model|net)|net$")
_LOSS = ("Loss", "Criterion", "loss", "criterion")


class ModelReader:
    """Finds the networks that one file builds."""

    def __init__(self, names: Names, places: Places) -> None:
        self.names = names
        self.places = places

    def read(self) -> Iterator[Model]:
        """Every network once, where it is built; of several branches that choose one, the first."""
        built = (self.names.own(e) for call in self.names.file.calls for e in self._trained(call))
        trained = {id(e.node) for e in built if e is not None} | self._acts_as_model()
        inner: set[int] = set()
        branches: dict[str, list[Spot]] = {}
        for call in self.names.file.calls:
            places = self.places.of(call.spot)
            if not places or id(call.node) in inner or self._is_part(call):
                continue
            is_loss = last_name(call.node).endswith(_LOSS)
            if not is_loss and (id(call.node) in trained or self._is_model(call)):
                inner.update(id(node) for node in below(call.node))
                name = self.names.file.names.get(id(call.node)) or last_name(call.node)
                spots = branches.setdefault(name, [])
                if not any(_excludes(spot, call.spot) for spot in spots):
                    yield Model(call, name, places)
                spots.append(call.spot)

    def _is_model(self, call: Expression) -> bool:
        """Whether a call makes an object of a class, or of a library, that is known to be a network."""
        for leaf in self.names.callee(call):
            if isinstance(leaf, Imported):
                is_model = leaf.name in MODEL_MAKERS or _is_library_model(leaf.name)
                return is_model and not self._is_pipeline(call) and not _is_of_element(call.node)
        scope = self.names.instance_of(Literal(call))
        bases = self.names.base_names(scope) if scope is not None else []
        return scope is not None and any(name in MODEL_BASES for name in bases) and self._has_layers(scope)

    def _is_pipeline(self, call: Expression) -> bool:
        """Whether a `Sequential` strings transforms together."""
        first = call.node.args[:1] if isinstance(call.node, cst.Call) else ()
        leaves = [leaf for arg in first for leaf in self.names.sources(call.of(arg.value))]
        names = [self.names.callee_name(leaf.expression) for leaf in leaves if isinstance(leaf, Literal)]
        return any("transforms." in name or name.startswith("kornia.") for name in names)

    def _has_layers(self, scope: Scope) -> bool:
        """Whether a network's class makes anything: one without layers or parameters costs nothing."""
        inits = [s.method("__init__") for s in (scope, *self.names.bases(scope))]
        calls = [call for init in inits if init for call in self.names.calls_in(init)]
        return not any(inits) or any(not _is_plain(self.names.callee_name(call), call) for call in calls)

    def _trained(self, call: Expression) -> Iterator[Expression]:
        """The calls that built what `.parameters()` is asked of, or what is wrapped to run on many devices."""
        node = call.node
        if not isinstance(node, cst.Call):
            return
        if isinstance(node.func, cst.Attribute) and self._shows_model(node, node.func.attr.value):
            yield from self._built(call.of(node.func.value))
        elif node.args and not node.args[0].star and self._is_fit(call, node):
            yield from self._built(call.of(node.args[0].value))
        elif self.names.callee_name(call).endswith((".DataParallel", ".DistributedDataParallel")) and node.args:
            yield from self._built(call.of(node.args[0].value))

    def _acts_as_model(self) -> set[int]:
        """The calls whose results do two things of a network: load a state, train(), move to a device.

        Optimizers load a state and tensors are moved. What loads one and is called a model or net is believed.
        """
        loads, trains = self._asked("load_state_dict"), self._asked("train")
        moves = self._asked("to", "cuda") if loads or trains else set()
        named = {call for call in loads if _NAMED.search(self.names.file.names.get(call, ""))}
        return (loads & trains) | (loads & moves) | (trains & moves) | named

    def _asked(self, *methods: str) -> set[int]:
        """The calls that built what one of some methods is called on."""
        calls = (call for call in self.names.file.calls if last_name(call.node) in methods)
        built = (self.names.own(e) for call in calls for e in self._behind(call))
        return {id(e.node) for e in built if e is not None}

    def _behind(self, call: Expression) -> Iterator[Expression]:
        func = call.node.func if isinstance(call.node, cst.Call) else None
        return self._built(call.of(func.value)) if isinstance(func, cst.Attribute) else iter(())

    def _shows_model(self, node: cst.Call, method: str) -> bool:
        """Only a network has parameters, is switched to `eval()`, or is moved by a `.to()` whose result is dropped."""
        is_moved = method in ("to", "cuda") and id(node) in self.names.file.dropped
        return method in _PARAMETERS or is_moved or (method == "eval" and not node.args)

    def _is_fit(self, call: Expression, node: cst.Call) -> bool:
        """Whether a trainer of Lightning is given a network to run: `trainer.fit(model, loader)`."""
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in FITS:
            return False
        leaves = (leaf for leaf in self.names.sources(call.of(node.func.value)) if isinstance(leaf, Literal))
        return any(self.names.callee_name(leaf.expression) in _TRAINERS for leaf in leaves)

    def _built(self, expression: Expression) -> Iterator[Expression]:
        stack, seen = [expression], {id(expression.node)}
        while stack:
            for leaf in self.names.sources(stack.pop()):
                inner = self._wrapped(leaf)
                if inner is not None and id(inner.node) not in seen:
                    seen.add(id(inner.node))
                    stack.append(inner)
                elif inner is None and self._may_be_model(leaf):
                    yield leaf.expression

    def _may_be_model(self, leaf: Leaf) -> TypeGuard[Literal]:
        """Whether a call may make a network: no tensor function does, nor a class that is known not to be one."""
        if not isinstance(leaf, Literal) or not isinstance(leaf.node, cst.Call):
            return False
        scope, name = self.names.instance_of(leaf), self.names.callee_name(leaf.expression)
        if scope is not None:
            names = self.names.base_names(scope)
            if not names and not self.names.is_own(scope):
                return True  # its networks are built in another file, but by this line
            return any(base in MODEL_BASES or not base.startswith(("builtins.", "abc.")) for base in names)
        return not (name.startswith("torch.") and name.count(".") == 1 and name != "torch.load")

    def _wrapped(self, leaf: Leaf) -> Expression | None:
        """The network behind `model.to(device)` or `DataParallel(model)`."""
        if not isinstance(leaf, Literal) or not isinstance(leaf.node, cst.Call):
            return None
        func, args = leaf.node.func, leaf.node.args
        last = last_name(leaf.node)
        if isinstance(func, cst.Attribute) and last in _SAME_MODEL:
            return leaf.expression.of(func.value)
        return leaf.expression.of(args[0].value) if last in _WRAPPERS and args else None

    def _is_part(self, call: Expression) -> bool:
        """Whether the call only gives a layer of a network: `self.fc = nn.Linear(...)`, `model.fc = ...`."""
        scope = call.spot.scope.function
        owner = scope.owner if scope is not None else None
        bases = self.names.base_names(owner) if owner is not None else []
        return id(call.node) in self.names.file.parts or any(name in MODEL_BASES for name in bases)


def _is_library_model(name: str) -> bool:
    last = name.rpartition(".")[2]
    if name.endswith((".from_pretrained", ".from_name")):
        return not any(word in name for word in _NO_NETWORKS)
    if last.startswith(("get_", "list_")) or any(part in name for part in (".metrics.", ".encoders.", ".utils.")):
        return False
    is_method = any(part[:1].isupper() or part.startswith("__") for part in name.split(".")[:-1])
    return name.startswith(MODEL_PACKAGES) and not is_method and not last.endswith((*_LOSS, "_Weights"))


def _is_of_element(node: cst.CSTNode) -> bool:
    """Whether a call is of a method of something taken out of a table: `model_urls["resnet18"].replace("s", "")`."""
    func = node.func if isinstance(node, cst.Call) else None
    return isinstance(func, cst.Attribute) and isinstance(func.value, cst.Subscript)


def _is_plain(name: str, call: Expression) -> bool:
    """Whether a call in `__init__` makes no layer: `super()`, its `__init__`, or something of the builtins."""
    return last_name(call.node) in ("super", "__init__") or name.startswith(("builtins.", "math.", "numpy."))


def _excludes(one: Spot, other: Spot) -> bool:
    """Whether two statements of one scope stand in different branches, so that mostly one of them runs."""
    same_scope = one.scope is other.scope
    return same_scope and not one.block.encloses(other.block) and not other.block.encloses(one.block)
