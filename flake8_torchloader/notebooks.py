"""Jupyter notebooks: their code cells as one program."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flake8_torchloader.location import Cell

_TRANSPARENT = ("time", "timeit", "capture", "prun", "memit", "mprun", "lprun")
"""Cell magics that run the rest of their cell as Python."""

_AUTOMATIC = "pip|conda|mamba|uv|ls|cd|cat|cp|mv|rm|mkdir|rmdir|pwd|env|run|load_ext|autoreload|matplotlib|time|timeit"
"""Commands that IPython also takes without their `%`."""

_MAGIC_LINE = re.compile(rf"(?P<indent>\s*)(?:[%!?]|(?:{_AUTOMATIC})\s|.*\?\s*$)")
_ONE_BY_ONE = 60
"""Commands of a cell that are looked for where Python stumbles; if there are more, all that look like one are."""

_MAGIC_VALUE = re.compile(r"(?P<start>\s*[\w., ]+=\s*)[%!].*")


@dataclass(frozen=True)
class Notebook:
    """The program of a notebook, and the cells that it consists of."""

    text: str
    cells: tuple[Cell, ...]


def read_notebook(text: str) -> Notebook:
    """Read a notebook, of any version since 4; one in another language than Python is an empty program.

    Raises:
        ValueError: if it is no notebook, with the reason.
    """
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no notebook: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise ValueError("is no notebook: it has no list of cells (versions before 4 are not read)")
    sources = _code_cells(document["cells"]) if _is_python(document) else ()
    program: list[str] = []
    cells = []
    for number, source in sources:
        cells.append(Cell(number, len(program) + 1))
        program += _plain_python(source)
    return Notebook("".join(f"{line}\n" for line in program), tuple(cells))


def _is_python(document: Mapping[str, object]) -> bool:
    match document.get("metadata"):
        case {"kernelspec": {"language": str(language)}} | {"language_info": {"name": str(language)}}:
            return language.lower() in ("python", "ipython")
    return True


def _code_cells(cells: list[object]) -> Iterator[tuple[int, str]]:
    """The sources of the cells with code, numbered as they are shown, from 1."""
    for number, cell in enumerate(cells, start=1):
        match cell:
            case {"cell_type": "code", "source": list(lines)}:
                yield number, "".join(map(str, lines))
            case {"cell_type": "code", "source": str(source)}:
                yield number, source


def _plain_python(source: str) -> list[str]:
    """The lines of a cell, each in its place, with what only IPython understands taken out."""
    lines = source.replace("\r\n", "\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].startswith("%%"):
        name = lines[first][2:].split()[:1]
        if not name or name[0] not in _TRANSPARENT:
            return [""] * len(lines)
        lines[first] = ""
    for _ in range(_ONE_BY_ONE):
        wrong = _first_wrong_line("\n".join(lines))
        if wrong is None or not _silence(lines, wrong - 1):
            return lines
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("%", "!")):
            _silence(lines, number)
    return lines


def _first_wrong_line(source: str) -> int | None:
    """The line, from 1, that Python stumbles over, None if over none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        return error.lineno or 1
    except (ValueError, RecursionError, MemoryError):
        return 1
    return None


def _silence(lines: list[str], number: int) -> bool:
    """Make a command to IPython or the shell do nothing, with the lines it goes on in; tell whether there was one."""
    line = lines[number] if number < len(lines) else ""
    if value := _MAGIC_VALUE.fullmatch(line):
        lines[number] = f"{value['start']}None"
    elif command := _MAGIC_LINE.match(line):
        lines[number] = f"{command['indent']}pass"
    else:
        return False
    while line.endswith("\\") and number + 1 < len(lines):
        number += 1
        line, lines[number] = lines[number], ""
    return True
