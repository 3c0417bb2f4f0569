"""From the rules to what is written about them: each rule's page, and the table of all."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from textwrap import dedent

from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules
from flake8_torchloader.start_method import ALL_METHODS

SECTIONS = ("What goes wrong", "How it is proved", "Example", "Use instead", "Does not see")
"""The sections of a rule's docstring, in their order."""

PROVED, PROGRAMS = "How it is proved", ("Example", "Use instead")

TABLE_BEGINS = "<!-- rules: begin (written by flake8_torchloader.catalogue) -->\n"
TABLE_ENDS = "<!-- rules: end -->\n"
_HEADING = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)


def page(rule: type[Rule]) -> dict[str, str]:
    """The sections of a rule's docstring: heading to text, in the order they are written in."""
    _, *parts = _HEADING.split(inspect.cleandoc(rule.__doc__ or ""))
    return {title: body.strip("\n") for title, body in zip(parts[::2], parts[1::2])}


def code_block(section: str) -> str:
    """The program that a section shows: its indented lines, moved to the left margin."""
    lines = [line for line in section.splitlines() if not line or line.startswith("    ")]
    return dedent("\n".join(lines)).strip("\n") + "\n"


def markdown(rule: type[Rule], proof: str = "") -> str:
    """A rule's page in Markdown: its docstring, the start methods, and how to silence it.

    `proof` is what is shown below the section on how the rule is proved.
    """
    sections = page(rule)
    parts = [f"# {rule.code}: {rule.name}", summary(rule), f"Start methods: {_methods(rule)}.{_chosen(rule)}"]
    for title, body in sections.items():
        shown = f"```python\n{code_block(body)}```" if title in PROGRAMS else body
        parts += [f"## {title}", shown, *([proof] if proof and title == PROVED else [])]
    return "\n\n".join([*parts, "## How to silence it", _silenced(rule)]) + "\n"


def _chosen(rule: type[Rule]) -> str:
    return f" Off until it is named: `--extend-select {rule.code}`." if rule.is_opt_in else ""


def _silenced(rule: type[Rule]) -> str:
    return (
        f"`# noqa: {rule.code}` at the end of the reported line silences that line, "
        f"`per-file-ignores = scripts/*.py:{rule.code}` some files, and `extend-ignore = {rule.code}` all of them."
    )


def summary(rule: type[Rule]) -> str:
    """The sentence that a rule's docstring begins with, on one line."""
    paragraph, *_ = inspect.cleandoc(rule.__doc__ or "").split("\n\n", maxsplit=1)
    return " ".join(paragraph.split())


def table(rules: Iterable[type[Rule]]) -> str:
    """A Markdown table of rules: code, name, what is found, and under which start methods it does harm."""
    heading = ["| Code | Hazard | What is found | Start methods |", "|---|---|---|---|"]
    rows = [f"| `{rule.code}` | {_name(rule)} | {summary(rule)} | {_methods(rule)} |" for rule in rules]
    return "\n".join([*heading, *rows]) + "\n"


def with_current_table(readme: str) -> str:
    """The README with the table between its two marks written anew; raise ValueError without them."""
    before, begins, rest = readme.partition(TABLE_BEGINS)
    _, ends, after = rest.partition(TABLE_ENDS)
    if not begins or not ends:
        raise ValueError(f"no {TABLE_BEGINS.strip()!r} or {TABLE_ENDS.strip()!r} in the text")
    return f"{before}{begins}{table(all_rules())}{ends}{after}"


def _name(rule: type[Rule]) -> str:
    return f"{rule.name} (opt-in)" if rule.is_opt_in else rule.name


def _methods(rule: type[Rule]) -> str:
    if rule.methods == ALL_METHODS:
        return "all"
    return ", ".join(sorted(method.value for method in rule.methods))
