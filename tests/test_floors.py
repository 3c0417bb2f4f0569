"""The house has floors: imports go down only, and some libraries live in one room only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "flake8_torchloader"
FLOORS = (
    {
        "start_method", "settings", "finding", "module", "kept", "construction", "main_program", "wrong_data",
        "observed", "worker_seen", "trial", "verdict", "location", "problem", "jobs", "families", "disk", "gate",
        "source_text", "output_file", "record",
    },
    {"rule"},
    {"rules"},
    {"reading", "running", "fixing"},
    {
        "choosing", "cache", "linted", "noqa", "linting", "sources", "verifying", "safety", "files", "notebooks",
        "results", "fingerprint", "baseline",
    },
    {"report", "catalogue"},
    {"flake8_plugin", "pytest_plugin", "api", "command", "__main__", "__init__"},
)
"""The rooms of each floor, the lowest floor first."""

STRANGERS = {"rules", "reading", "running", "fixing"}
"""Rooms that never see each other."""

AT_HOME = {
    "libcst": ("reading", "fixing"),
    "flake8": ("flake8_plugin",),
    "pytest": ("pytest_plugin",),
    "rich": ("command/terminal", "report/paint"),
    "pathspec": ("choosing/patterns",),
    "torch": ("running/inside",),
}
"""The only rooms in which a library may be imported, where its place is fixed."""

ASKING = {"open", "is_file", "is_dir", "exists", "stat", "read_bytes", "read_text", "iterdir", "glob", "rglob"}
"""What a file is asked for by, which the reader leaves to `disk`, so that what it found can be checked again."""

FILES = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> str:
    """The room of a module of ours, by its full name."""
    _, *parts = module.split(".")
    return parts[0] if parts else "__init__"


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


def imported(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, at its top or anywhere inside."""
    here = ("flake8_torchloader", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = [*here[: len(here) - level + 1]] if level else []
                source = ".".join([*base, *([module] if module else [])])
                yield from (f"{source}.{alias.name}" for alias in names)


def imported_rooms(path: Path) -> set[str]:
    """The rooms of ours that a file imports from; names of the package itself are no room."""
    ours = (name for name in imported(path) if name.split(".")[0] == "flake8_torchloader")
    rooms = {room(name) for name in ours}
    return {name for name in rooms if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()}


def own_room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def identifier(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_imports_go_down_only(path: Path) -> None:
    own = own_room(path)
    upwards = {(own, name) for name in imported_rooms(path) if floor(name) > floor(own)}

    assert upwards == set()


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_strangers_never_meet(path: Path) -> None:
    own = own_room(path)

    if own in STRANGERS:
        assert imported_rooms(path) & STRANGERS <= {own}


@pytest.mark.parametrize("path", FILES, ids=identifier)
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    place = identifier(path).removesuffix(".py")
    libraries = {name.split(".")[0] for name in imported(path)}
    strays = {
        library
        for library, rooms in AT_HOME.items()
        if library in libraries and not place.startswith(rooms)
    }

    assert strays == set()


@pytest.mark.parametrize("path", [path for path in FILES if own_room(path) in ("reading", "rules")], ids=identifier)
def test_the_file_system_is_asked_by_disk_alone(path: Path) -> None:
    functions = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    called = {getattr(function, "attr", getattr(function, "id", "")) for function in functions}
    asked = {name.rpartition(".")[2] for name in imported(path) if name.startswith("flake8_torchloader.disk.")}

    assert called & ASKING <= asked
    assert {"os", "shutil", "glob", "tokenize"}.isdisjoint(imported(path))


def test_what_is_injected_knows_nothing_of_ours() -> None:
    inside = [path for path in FILES if identifier(path).startswith("running/inside/")]

    assert [path for path in inside if imported_rooms(path) - {"running"}] == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=str)
def test_every_folder_is_packaged(folder: Path) -> None:
    assert (folder / "__init__.py").is_file()
