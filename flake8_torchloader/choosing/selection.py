"""Which codes a user wants to see: prefixes that select and ignore, weighed as flake8 weighs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


def codes_shown(is_shown: Callable[[str], bool], named: Iterable[str]) -> frozenset[str]:
    """The codes that a decision lets through; an opt-in one only if a prefix means it by more than the family.

    In flake8 an ignore list of the user's own turns off the default one, which is why an opt-in code cannot rely on
    being ignored by default.
    """
    from flake8_torchloader.rules import all_rules, is_named

    prefixes = tuple(named)
    return frozenset(
        rule.code
        for rule in all_rules()
        if is_shown(rule.code) and (not rule.is_opt_in or is_named(rule.code, prefixes))
    )


class Selection(NamedTuple):
    """Prefixes of codes; `select` is None where all are selected that are on by default."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def codes(self, ignored: Iterable[str] = ()) -> frozenset[str]:
        """The codes to look for where these prefixes are ignored as well."""
        dropped = (*self.ignore, *ignored)
        return codes_shown(lambda code: self._decides_for(code, dropped), self._named)

    @property
    def _named(self) -> tuple[str, ...]:
        return (*(self.select or ()), *self.extend_select)

    def _decides_for(self, code: str, dropped: Iterable[str]) -> bool:
        """Whoever names more of a code is obeyed; who ignores it, where both name as much.

        With `extend_select` alone the family counts as selected, too, but no code by that alone against who ignores it.
        """
        from flake8_torchloader.rules import FAMILY

        wanted, unwanted = _longest(code, self._named), _longest(code, dropped)
        if wanted and self.select is None:
            wanted = max(wanted, len(FAMILY))
        if wanted or unwanted:
            return wanted > unwanted
        return self.select is None


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)
