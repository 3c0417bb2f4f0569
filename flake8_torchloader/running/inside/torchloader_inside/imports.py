"""Acting right after a module has been imported, without importing it ourselves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .tell import quietly

Action = Callable[[Any], None]


class ImportWatcher(MetaPathFinder):
    """A finder that finds nothing itself: it lets the others find, and wraps what they found."""

    def __init__(self, actions: dict[str, Action]) -> None:
        """Remember what to do after which module."""
        self._actions = {name: quietly(action) for name, action in actions.items()}

    def install(self) -> None:
        """Act at once on what is imported already, and watch for the rest."""
        sys.meta_path.insert(0, self)
        for name, action in self._actions.items():
            if name in sys.modules:
                action(sys.modules[name])

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a watched module as the other finders would, and hang the action on its loader."""
        if name not in self._actions:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._wrap(spec.loader, self._actions[name])
        return spec

    @staticmethod
    def _wrap(loader: Any, action: Action) -> None:
        original = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            original(module)
            action(module)

        loader.exec_module = exec_module
