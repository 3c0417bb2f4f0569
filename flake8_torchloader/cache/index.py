"""All entries that are kept under one key, as one text: what many files rest on stands there once."""

from __future__ import annotations

from collections.abc import Mapping

from flake8_torchloader.cache.entry import Entry
from flake8_torchloader.disk import Fact

Entries = Mapping[str, Entry]
"""Entries by the absolute path of their file, the one that was used last at the end."""


def parsed(text: str) -> Entries:
    """The entries that a text holds; none if it is not one of ours."""
    import json

    try:
        document = json.loads(text)
        facts = [Fact(*fact) for fact in document["facts"]]
        return {
            path: Entry(content, tuple(facts[number] for number in numbers), said)
            for path, (content, numbers, said) in document["files"].items()
        }
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}


def written(entries: Entries) -> str:
    """The text that holds these entries."""
    import json

    numbers: dict[Fact, int] = {}
    files = {
        path: [entry.content, [numbers.setdefault(fact, len(numbers)) for fact in entry.facts], entry.said]
        for path, entry in entries.items()
    }
    facts = [[fact.question, fact.about, fact.answer] for fact in numbers]
    return json.dumps({"facts": facts, "files": files}, separators=(",", ":"))
