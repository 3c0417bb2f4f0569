"""The page of a rule, on the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from flake8_torchloader.command.refused import Refused


class Explain(argparse.Action):
    """Prints the page of the rule that is named by its code or its name, and ends."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print, and leave with status 0; raise Refused if there is no such rule."""
        from flake8_torchloader.command.terminal import print_page

        print_page(page_of(str(values)))
        parser.exit()


def page_of(name: str) -> str:
    """The page of a rule in Markdown; raise Refused, naming what is near, if there is no such rule."""
    from difflib import get_close_matches

    from flake8_torchloader.catalogue import markdown
    from flake8_torchloader.rules import all_rules

    rules = {known: rule for rule in all_rules() for known in (rule.code.lower(), rule.name)}
    rule = rules.get(name.lower())
    if rule is None:
        near = get_close_matches(name.lower(), rules, n=1)
        hint = f"did you mean {rules[near[0]].code}?" if near else "write a code or a name, such as TLD101"
        raise Refused(f"argument --explain: no rule {name!r}: {hint}")
    return markdown(rule)
