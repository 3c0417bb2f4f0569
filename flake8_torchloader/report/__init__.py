"""The words: what came of a run in, text out; nothing is printed here."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_torchloader.results import Results


class Format(Enum):
    """The formats that there are; each is the file of its name in this room, which has a function `document`."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"
    JUNIT = "junit"

    @property
    def is_for_people(self) -> bool:
        """Whether it is read as it comes, finding by finding."""
        return self in (Format.TEXT, Format.CONCISE)

    def document(self, results: Results) -> str:
        """All results in this format."""
        from importlib import import_module

        write: Callable[[Results], str] = import_module(f"{__name__}.{self.value}").document
        return write(results)


def parse_format(text: str) -> Format:
    """The format of a name; raise ValueError naming those that there are."""
    try:
        return Format(text.strip())
    except ValueError:
        known = ", ".join(one.value for one in Format)
        raise ValueError(f"unknown format {text!r}: choose from {known}") from None
