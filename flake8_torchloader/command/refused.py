"""The one exception that ends the command before it does anything."""

from __future__ import annotations


class Refused(Exception):
    """A command that can't be carried out, with a line that says why."""
