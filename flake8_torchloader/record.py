"""Records of many fields, for what every run of the command makes.

To import `dataclasses`, and to define with it the records that a run with a warm cache has to do with, would add a
third to the time of that run. So those of a few fields are named tuples there, and those of many are these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**options):
        """Nothing: type checkers alone know what it means."""
        return lambda kind: kind


Kind = TypeVar("Kind", bound="Record")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """What its annotated fields are given by their names, as in a frozen dataclass; those with values may be absent."""

    def __init__(self, **given: Any) -> None:
        names = self.fields()
        unknown = [name for name in given if name not in names]
        missing = [name for name in names if name not in given and not hasattr(type(self), name)]
        if unknown or missing:
            raise TypeError(f"{type(self).__name__}: unknown fields {unknown}, missing fields {missing}")
        vars(self).update(given)

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """The names of the fields, in their order."""
        return tuple(cls.__annotations__)

    def but(self: Kind, **changes: Any) -> Kind:
        """The same with other values for some fields."""
        return type(self)(**{**self._values(), **changes})

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.fields()}

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, type(self)) else NotImplemented

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values().items())})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} can't be changed: but(...) makes another one")
