"""What a file says of the main program and its workers, which import it as well: records, as in `module`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from flake8_torchloader.module import Site
from flake8_torchloader.start_method import ALL_METHODS, StartMethod


class Lack(Enum):
    """What a worker lacks of a global that the main program sets."""

    DEFINITION = "the function or class that it is sent by name"
    NAME = "the name"
    VALUE = "the new value of a name that it knows"


@dataclass(frozen=True, slots=True)
class MainOnly:
    """A global that only the main program sets, though code that runs in workers needs it.

    `reader` is the function that reads it, `read` where that does; both are empty for what is sent by name.
    """

    site: Site
    name: str
    lack: Lack
    reader: str
    read: Site | None
    methods: frozenset[StartMethod] = ALL_METHODS
    loaders: tuple[Site, ...] = ()


class Again(Enum):
    """Why a call runs more than once."""

    IMPORT = "each worker imports the file"
    TWICE = "another call came before"
    DATASET = "each dataset, or each item, runs it"


@dataclass(frozen=True, slots=True)
class StartMethodSet:
    """A call that sets the start method although it is set by then; `method` is empty where it is not known."""

    site: Site
    method: str
    again: Again
    methods: frozenset[StartMethod] = ALL_METHODS
