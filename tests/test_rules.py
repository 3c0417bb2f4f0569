"""The checklist for a rule: one file, one class, one code, and a page whose programs are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flake8_torchloader import rules
from flake8_torchloader.catalogue import SECTIONS, code_block, page, summary
from flake8_torchloader.linting import lint
from flake8_torchloader.rule import LONGEST_NAME, Rule, shorten
from flake8_torchloader.rules import FAMILY, all_rules, default_codes

REMEDIES = {"use", "avoid", "prefer", "missing", "add", "should", "dont", "do", "no", "not"}
"""Words that begin the name of a remedy; a rule names the hazard, so that it reads after "allow"."""

UNREADABLE = "TLD000"
"""The one code whose example is no program: it says that a file could not be read."""


def codes_in(section: str, rule: type[Rule]) -> set[str]:
    """What is found in a program of a rule's page by the rules that are on by default, and by this one."""
    program = code_block(page(rule)[section])
    return {finding.code for finding in lint(program, "program.py", rules=default_codes() | {rule.code})}


every_rule = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)


def test_each_file_holds_one_rule() -> None:
    folder = Path(rules.__path__[0])
    files = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    homes = sorted(rule.__module__.rpartition(".")[2] for rule in all_rules())

    assert files == homes


def test_no_code_and_no_name_is_given_twice() -> None:
    assert len({rule.code for rule in all_rules()}) == len(all_rules())
    assert len({rule.name for rule in all_rules()}) == len(all_rules())


@every_rule
def test_a_file_is_called_as_its_rule(rule: type[Rule]) -> None:
    stem = rule.__module__.rpartition(".")[2]

    assert stem == f"{rule.code.lower()}_{rule.name.replace('-', '_')}"


@every_rule
def test_a_code_is_one_that_flake8_takes(rule: type[Rule]) -> None:
    assert re.fullmatch(rf"{FAMILY}\d{{3}}", rule.code)


@every_rule
def test_a_name_is_that_of_a_hazard(rule: type[Rule]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert rule.name.split("-")[0] not in REMEDIES


@every_rule
def test_a_message_is_one_line_that_needs_no_full_stop(rule: type[Rule]) -> None:
    assert "\n" not in rule.message
    assert not rule.message.endswith(".")


@every_rule
def test_a_page_has_its_sections(rule: type[Rule]) -> None:
    assert tuple(page(rule)) == SECTIONS
    assert all(page(rule).values())


@every_rule
def test_a_page_begins_with_a_sentence_that_fits_a_table(rule: type[Rule]) -> None:
    assert re.fullmatch(r"[A-Z][^|]{20,120}\.", summary(rule))


@every_rule
def test_the_example_gives_this_code_alone(rule: type[Rule]) -> None:
    assert codes_in("Example", rule) == {rule.code}


@every_rule
def test_what_is_to_be_used_instead_is_silent(rule: type[Rule]) -> None:
    assert code_block(page(rule)["Use instead"]).strip()
    assert codes_in("Use instead", rule) == set()


@every_rule
def test_shown_programs_are_programs(rule: type[Rule]) -> None:
    if rule.code != UNREADABLE:
        compile(code_block(page(rule)["Example"]), "example.py", "exec")
    compile(code_block(page(rule)["Use instead"]), "instead.py", "exec")


def test_long_names_keep_both_their_ends() -> None:
    name = "collate_" + "x" * 100 + "_batch"

    assert len(shorten(name)) <= LONGEST_NAME
    assert shorten(name).startswith("collate_")
    assert shorten(name).endswith("_batch")
    assert shorten("collate") == "collate"
