"""What was found before: looked up by what it rests on, and kept for the next run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from flake8_torchloader.cache.entry import Entry, spelled
from flake8_torchloader.cache.folder import NAME, Folder
from flake8_torchloader.cache.index import Entries, parsed, written
from flake8_torchloader.choosing.config import Config
from flake8_torchloader.disk import Fact
from flake8_torchloader.linted import Learned, Linted

MOST_BYTES = 16 << 20
"""How large a text may be that holds what was found with one config."""

_UNSTABLE = "TLD000"
"""The code of files that could not be read, which may have had a passing reason."""


@contextmanager
def cache_of(config: Config) -> Iterator[Cache | None]:
    """The cache that a config asks for, None if for none; what was learned is saved in the end, whatever ends it."""
    if not config.cache:
        yield None
        return
    cache = Cache(config)
    try:
        yield cache
    finally:
        cache.save()


class Cache:
    """Knows what was found with one config. It is read when it is first asked, and written once, by `save`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folder = Folder(config.cache_dir or config.root / NAME)
        self._answers: dict[Fact, bool] = {}
        self._used: dict[str, Entry] = {}
        self._new: dict[str, Entry] = {}

    def find(self, path: Path, content: str) -> Linted | None:
        """What was found in a file with a content of this digest, if all that it rested on is still the same."""
        name = _name(path)
        entry = self._known.get(name)
        if entry is None or entry.content != content or not all(map(self._holds, entry.facts)):
            return None
        try:
            linted = entry.linted(path)
        except (ValueError, TypeError):
            return None
        self._used[name] = entry
        return linted

    def keep(self, learned: Learned) -> None:
        """Remember what was found in a file, unless it could not be read, which may be otherwise next time."""
        said = learned.said
        if isinstance(said, Linted) and all(finding.code != _UNSTABLE for finding in said.findings):
            self._new[_name(said.path)] = Entry(learned.content, learned.facts, spelled(said))

    def save(self) -> None:
        """Write down what is new, beside what others have written in the meantime."""
        if self._new:
            seen = {**self._used, **self._new}
            others = {path: entry for path, entry in self._read().items() if path not in seen}
            self._folder.write(self._name, _fitting({**others, **seen}))
        elif self._used:
            self._folder.mark_used(self._name)

    def _holds(self, fact: Fact) -> bool:
        if fact not in self._answers:
            self._answers[fact] = fact.holds()
        return self._answers[fact]

    @cached_property
    def _known(self) -> Entries:
        return self._read()

    @cached_property
    def _name(self) -> str:
        from flake8_torchloader.cache.key import key

        return f"{key(self._config, self._folder)}.json"

    def _read(self) -> Entries:
        return parsed(self._folder.read(self._name))


def _name(path: Path) -> str:
    return str(path.absolute())


def _fitting(entries: Entries) -> str:
    """The text of the entries, without those that were not used for longest if all are too many."""
    text = written(entries)
    while len(text) > MOST_BYTES:
        entries = dict([*entries.items()][len(entries) // 4 + 1 :])
        text = written(entries)
    return text
