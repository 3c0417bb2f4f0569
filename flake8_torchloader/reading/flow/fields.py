"""What an object holds because of how it was made: fields of dataclasses, namespaces, wrapped dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from flake8_torchloader.reading.flow.leaves import Leaf, Literal
from flake8_torchloader.reading.tree.scopes import Expression, Scope

if TYPE_CHECKING:
    from flake8_torchloader.reading.flow.names import Names

_WRAPPED_DICTS = {
    "easydict.EasyDict", "addict.Dict", "munch.Munch", "munch.munchify", "box.Box", "omegaconf.OmegaConf.create",
    "ml_collections.ConfigDict", "ml_collections.config_dict.ConfigDict", "attrdict.AttrDict", "argparse.Namespace",
    "types.SimpleNamespace", "mmcv.Config", "mmengine.config.ConfigDict",
}  # fmt: skip
"""Classes whose objects have the keys of the dict that they are given as attributes."""


class Fields:
    """Answers what the objects that one file makes are given to hold."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def given(self, leaf: Leaf, name: str) -> list[Leaf]:
        """What the call that made an object gives it under a name; empty where that is not known."""
        node = leaf.node if isinstance(leaf, Literal) else None
        if not isinstance(leaf, Literal) or not isinstance(node, cst.Call):
            return []
        owner = self.names.instance_of(leaf)
        fields = self._annotated(owner) if owner is not None else []
        if owner is not None and name not in fields:
            return []
        by_keyword = [a.value for a in node.args if a.keyword is not None and a.keyword.value == name]
        plain = [a.value for a in node.args if a.keyword is None and not a.star]
        by_position = [value for field, value in zip(fields, plain) if field == name]
        by_key = [] if owner is not None else self._of_dict(leaf.expression, node, name)
        found = [leaf.expression.of(value) for value in (*by_keyword, *by_position)]
        return [source for value in (*found, *by_key) for source in self.names.sources(value)]

    def _annotated(self, scope: Scope) -> list[str]:
        """The fields of a dataclass or named tuple of this file, in order; none where `__init__` is written out."""
        if self.names.method(scope, "__init__") is not None:
            return []
        classes = [scope, *self.names.bases(scope)]
        return list(dict.fromkeys(name for one in reversed(classes) for name in _fields(one)))

    def _of_dict(self, call: Expression, node: cst.Call, name: str) -> list[Expression]:
        """The value of a key in `EasyDict({...})` or `SimpleNamespace(**{...})`."""
        if self.names.callee_name(call) not in _WRAPPED_DICTS:
            return []
        whole = [call.of(arg.value) for arg in node.args if arg.keyword is None and arg.star != "*"]
        dicts = [leaf for value in whole for leaf in self.names.sources(value) if isinstance(leaf, Literal)]
        return [
            leaf.expression.of(element.value)
            for leaf in dicts
            for element in (leaf.node.elements if isinstance(leaf.node, cst.Dict) else ())
            if isinstance(element, cst.DictElement)
            and isinstance(element.key, cst.SimpleString)
            and element.key.evaluated_value == name
        ]


def _fields(scope: Scope) -> list[str]:
    """The names that the body of a class annotates."""
    body = scope.node.body.body if isinstance(scope.node, cst.ClassDef) else ()
    smalls = [small for line in body if isinstance(line, cst.SimpleStatementLine) for small in line.body]
    targets = [small.target for small in smalls if isinstance(small, cst.AnnAssign)]
    return [target.value for target in targets if isinstance(target, cst.Name)]
