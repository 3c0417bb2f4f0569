"""The one contract: a rule names a hazard and finds it in the records of a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from flake8_torchloader.module import Module, Site
from flake8_torchloader.settings import Settings
from flake8_torchloader.start_method import ALL_METHODS, StartMethod, spell
from flake8_torchloader.trial import Run, Trial
from flake8_torchloader.verdict import Suspect, Verdict

_MOST_LOADERS = 8
"""How many loaders the notes of one finding point at."""

LONGEST_NAME = 22
"""Characters of a user's own name that a message shows before it is cut."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """What a rule found: where, the words for its message, and the start methods that suffer."""

    site: Site
    words: Mapping[str, str] = field(default_factory=dict)
    methods: frozenset[StartMethod] = ALL_METHODS
    notes: tuple[tuple[Site, str], ...] = ()


class Rule(ABC):
    """One hazard: a code, a name that reads after "allow", a message, how to find it and how to prove it.

    The class docstring is the rule's page; its sections are fixed (see the tests).
    """

    code: ClassVar[str]
    name: ClassVar[str]
    message: ClassVar[str]
    message_in_notebook: ClassVar[str] = ""
    """What is said instead where a program is a notebook: no worker can import what its cells define."""
    methods: ClassVar[frozenset[StartMethod]] = ALL_METHODS
    """The start methods under which the harm can happen at all."""
    trials: ClassVar[tuple[Trial, ...]] = (Trial.CONTROL, Trial.FORKSERVER, Trial.SPAWN)
    """The runs that it takes to prove a finding: always a control beside the suspects."""
    is_opt_in: ClassVar[bool] = False
    """Whether findings are given only to those who name the code: it tells of a cost, or is right less often."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def check(self, module: Module) -> Iterator[Hazard]:
        """Find the hazard in the records of one file; pure."""

    @abstractmethod
    def judge(self, runs: Mapping[Trial, Run], suspect: Suspect) -> Verdict:
        """Say what the runs of a program proved about one finding; pure.

        Only the trials that were asked for are there: a finding is refuted if all of those leave it no way to be true.
        """

    def suffering(self, hazard: Hazard) -> frozenset[StartMethod]:
        """The start methods that the user chose and under which this hazard happens."""
        return hazard.methods & self.methods & self.settings.start_methods

    def render(self, hazard: Hazard, module: Module) -> str:
        """The sentence a user reads, with the user's own names."""
        words = {key: shorten(word) for key, word in hazard.words.items()}
        message = self.message_in_notebook if module.is_notebook and self.message_in_notebook else self.message
        return message.format(methods=spell(self.suffering(hazard)), **words)


def sent_by(loaders: tuple[Site, ...]) -> tuple[tuple[Site, str], ...]:
    """Notes at the loaders that send what a finding is about, the first of them."""
    return tuple((loader, "this loader sends it") for loader in loaders[:_MOST_LOADERS])


def shorten(word: str) -> str:
    """Cut a long name in its middle, so that both its ends can still be recognised.

    A phrase is left as it is: names have no spaces.
    """
    if len(word) <= LONGEST_NAME or " " in word:
        return word
    half = (LONGEST_NAME - 1) // 2
    return f"{word[:half]}…{word[-half:]}"
