"""The lines that the processes of a run wrote, read back."""

from __future__ import annotations

import json
from pathlib import Path

from flake8_torchloader.trial import Event

_LARGEST_RECORD = 64 << 20


def read_events(path: Path) -> tuple[list[Event], int]:
    """The events in the order they were written, and how many lines could not be read (cut off, or not ours)."""
    try:
        with path.open("rb") as file:
            lines = file.read(_LARGEST_RECORD).splitlines()
    except OSError:
        return [], 0
    events = [event for event in map(_event, lines) if event is not None]
    return events, len(lines) - len(events)


def _event(line: bytes) -> Event | None:
    try:
        fields = json.loads(line)
        return Event(str(fields.pop("kind")), int(fields.pop("pid")), float(fields.pop("time")), fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
