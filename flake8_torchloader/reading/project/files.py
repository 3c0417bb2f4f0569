"""The file that is linted and the others that it leads to: which of them a line belongs to, and what is noted there."""

from __future__ import annotations

from collections.abc import Collection

from flake8_torchloader.reading.project.imports import Imports
from flake8_torchloader.reading.project.other_file import OtherFile
from flake8_torchloader.reading.project.unread import Method
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Expression, Scope


class Files:
    """Knows the linted file as `file`; without `imports` there is no other."""

    def __init__(self, file: Collector) -> None:
        self.file = file
        self.imports: Imports | None = None

    def is_own(self, scope: Scope) -> bool:
        """Whether a scope is one of the file that is linted."""
        return scope.module is self.file.scope

    def own(self, expression: Expression) -> Expression | None:
        """The line of this file by which one of another was come to: itself if it is one, None if there is none."""
        while expression.frame is not None:
            expression = expression.frame.call
        return expression if self.is_own(expression.spot.scope) else None

    def calls_in(self, function: Scope | None) -> list[Expression]:
        """The calls that stand in a function, or at the top level of this file."""
        file = self.file if function is None else self._looked_into(function)
        return file.calls_of.get(function, [])

    def called_in(self, function: Scope) -> Collection[str]:
        """The last names of what a function calls; for those of a method, it need not be read."""
        if isinstance(function, Method):
            return function.body.called
        return {last_name(call.node) for call in self.calls_in(function)}

    def text_of(self, function: Scope) -> str | None:
        """The text of what is in another file's function, which need not be read for it; None for one of this file."""
        file = self.other_file(function)
        return file.text_of(function) if file is not None else None

    def may_lead_to(self, word: str, function: Scope) -> bool:
        """Whether another file's function may have to do with what a word stands for, itself or through its calls."""
        file = self.other_file(function)
        return file is None or self.imports is None or word in file.text or self.imports.leads_on(file)

    def loops_in(self, function: Scope | None) -> list[Expression]:
        """What the loops of a function iterate, or those at the top level of this file."""
        file = self.file if function is None else self._looked_into(function)
        return file.loops_of.get(function, [])

    def inner_scope(self, expression: Expression) -> Scope | None:
        """The scope of a lambda or a comprehension."""
        return self._home(expression.spot.scope).by_node.get(id(expression.node))

    def may_give_loaders(self, scope: Scope) -> bool:
        """Whether a function or class of another file speaks of loaders."""
        file = self.other_file(scope)
        top = [one for one in scope.around() if one.parent is not None][-1:]
        return file is not None and any(one.name in file.outline.loading for one in top)

    def may_give(self, scope: Scope) -> bool:
        """Whether it can matter what a function gives: its outline tells of another file's that it can't."""
        file = self.other_file(scope)
        return file is None or scope.parent is not file.scope or scope.name not in file.outline.plain

    def writes_beside(self, expression: Expression) -> list[tuple[Expression, Expression]]:
        """What is put under keys, and where, in the file in which an expression stands."""
        return self._home(expression.spot.scope).writes

    def is_spread(self, expression: Expression) -> bool:
        """Whether only the elements of a value are taken: `x.extend(value)`."""
        return id(expression.node) in self._home(expression.spot.scope).spread

    def name_elsewhere(self, expression: Expression) -> str:
        """The first name that a value is given in another file; empty for a line of this one."""
        home = self._home(expression.spot.scope)
        return "" if home is self.file else home.names.get(id(expression.node), "")

    def other_file(self, scope: Scope) -> OtherFile | None:
        """The other file in which a scope stands, None for those of this one."""
        return self.imports.file_of(scope.module) if self.imports is not None else None

    def _looked_into(self, function: Scope) -> Collector:
        """The file in which a function stands, once that was read."""
        file = self.other_file(function)
        if file is not None:
            file.look_into(function)
        return file or self.file

    def _home(self, scope: Scope) -> Collector:
        return self.other_file(scope) or self.file
