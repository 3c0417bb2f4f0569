"""Typed reading of the fields of an event: what is missing or of another type reads as empty."""

from __future__ import annotations

from collections.abc import Mapping

from flake8_torchloader.observed import AttributeSeen, Failure, Site
from flake8_torchloader.start_method import StartMethod

Fields = Mapping[str, object]


def text(fields: Fields, name: str) -> str:
    """A string, or ""."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def number(fields: Fields, name: str, default: int = 0) -> int:
    """An integer, or the default."""
    value = fields.get(name)
    return value if isinstance(value, int) else default


def maybe(fields: Fields, name: str) -> int | None:
    """An integer, or None."""
    value = fields.get(name)
    return value if isinstance(value, int) else None


def real(fields: Fields, name: str) -> float:
    """A number, or 0."""
    value = fields.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def integers(fields: Fields, name: str) -> tuple[int, ...]:
    """A list of integers; others in it are left out."""
    return tuple(value for value in listed(fields, name) if isinstance(value, int))


def strings(fields: Fields, name: str) -> tuple[str, ...]:
    """A list of strings; others in it are left out."""
    return tuple(value for value in listed(fields, name) if isinstance(value, str))


def listed(fields: Fields, name: str) -> list[object]:
    """A list, or an empty one."""
    value = fields.get(name)
    return value if isinstance(value, list) else []


def inner(value: object) -> Fields:
    """A mapping, or an empty one."""
    return value if isinstance(value, dict) else {}


def site(value: object) -> Site | None:
    """A line of the user's code."""
    fields = inner(value)
    return Site(text(fields, "file"), number(fields, "line"), text(fields, "function")) if "file" in fields else None


def failure(value: object, pid: int) -> Failure:
    """An exception in the process with this number."""
    fields = inner(value)
    return Failure(pid, text(fields, "type"), text(fields, "text"), sites(fields), text(fields, "cause"))


def sites(fields: Fields, name: str = "sites") -> tuple[Site, ...]:
    """A list of lines."""
    return tuple(one for one in map(site, listed(fields, name)) if one is not None)


def method(fields: Fields, name: str) -> StartMethod | None:
    """A start method, or None if it is none."""
    value = fields.get(name)
    return next((one for one in StartMethod if one.value == value), None)


def attributes(fields: Fields, name: str) -> tuple[AttributeSeen, ...]:
    """The outlines of attributes, by name."""
    seen = ((key, inner(value)) for key, value in inner(fields.get(name)).items())
    return tuple(AttributeSeen(key, text(one, "outline"), maybe(one, "size"), text(one, "digest")) for key, one in seen)
