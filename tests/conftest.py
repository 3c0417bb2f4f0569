"""What the tests share: a room to run programs in, and how long the property tests look.

They look for a `short` time unless `--hypothesis-profile=long` is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from running_room import Room

settings.register_profile(
    "short",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", settings.get_profile("short"), max_examples=3000, derandomize=False)
settings.load_profile("short")


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """A room to run programs in."""
    made = Room(tmp_path, monkeypatch)
    yield made
    made.close()
