"""What an expression can turn out to be.

Nobody changes these: those that are made by the thousand are not frozen, because that makes them slow to make.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from flake8_torchloader.reading.tree.scopes import Expression, Scope


@dataclass(unsafe_hash=True, slots=True)
class Imported:
    """Something from outside this project, or that is not followed there, by its full name."""

    name: str


@dataclass(unsafe_hash=True, slots=True)
class Defined:
    """A function or class of this project."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Object:
    """The object whose method this is, of a class of this project: `self`."""

    scope: Scope


@dataclass(unsafe_hash=True, slots=True)
class Literal:
    """An expression that stands for itself: a literal, a lambda, or a call of what is not followed."""

    expression: Expression

    @property
    def node(self) -> cst.CSTNode:
        """The node itself."""
        return self.expression.node


@dataclass(frozen=True, slots=True)
class Element:
    """Something that was put into the container in question."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Namespace:
    """Another file of the project, as a module."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that can't be followed."""


Leaf = Imported | Defined | Object | Literal | Element | Namespace | Opaque
