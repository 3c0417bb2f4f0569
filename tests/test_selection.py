"""Which codes are looked for: the prefixes of a user, weighed as flake8 weighs them."""

from __future__ import annotations

import argparse

from flake8.style_guide import Decision, DecisionEngine
from hypothesis import given
from hypothesis import strategies as st

from flake8_torchloader.choosing.selection import Selection
from flake8_torchloader.rules import all_rules, default_codes

CODES = [rule.code for rule in all_rules() if not rule.is_opt_in]
OPT_IN = [rule.code for rule in all_rules() if rule.is_opt_in]
prefixes = st.lists(st.sampled_from(sorted({code[:end] for code in CODES for end in range(1, 7)})), max_size=4)


def shown_by_flake8(select: list[str] | None, extend: list[str], ignore: list[str], more: list[str]) -> set[str]:
    options = argparse.Namespace(
        select=select, extend_select=extend, extended_default_select=["TLD", "E", "F"],
        ignore=ignore, extend_ignore=more, extended_default_ignore=[],
    )  # fmt: skip
    engine = DecisionEngine(options)
    return {code for code in CODES if engine.decision_for(code) is Decision.Selected}


@given(select=st.none() | prefixes, extend=prefixes, ignore=prefixes, more=prefixes)
def test_prefixes_are_weighed_as_in_flake8(
    select: list[str] | None, extend: list[str], ignore: list[str], more: list[str]
) -> None:
    own = Selection(None if select is None else tuple(select), tuple(extend), tuple(ignore))

    assert own.codes(more) & set(CODES) == shown_by_flake8(select, extend, ignore, more)


def test_without_a_word_it_is_all_that_is_not_opt_in() -> None:
    assert Selection().codes() == default_codes()
    assert Selection(("TLD",)).codes() == default_codes()


def test_opt_in_codes_want_more_than_the_family() -> None:
    for code in OPT_IN:
        assert code not in Selection(("TLD",), ("TLD",), ("TLD101",)).codes()
        assert code in Selection(extend_select=(code,)).codes()
        assert code not in Selection(extend_select=(code,)).codes([code])
