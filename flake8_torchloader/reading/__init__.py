"""From text to records: the only room that knows libcst."""

from __future__ import annotations

import ast
from pathlib import Path

from flake8_torchloader.disk import is_file
from flake8_torchloader.finding import Span
from flake8_torchloader.gate import text_may_matter
from flake8_torchloader.module import Module, Site
from flake8_torchloader.reading.limits import limit_in
from flake8_torchloader.reading.project.project import Project
from flake8_torchloader.reading.relevance import Interest, interest_in
from flake8_torchloader.reading.suspicion import datasets_may_matter
from flake8_torchloader.reading.tree.syntax import Walked, walked
from flake8_torchloader.settings import Settings


def read(
    text: str,
    tree: ast.Module | None = None,
    path: str = "",
    settings: Settings = Settings(),
    *,
    is_notebook: bool = False,
) -> Module:
    """What a file says about worker processes; nothing is raised for what a file may hold.

    What it imports from its own project is looked up there if `path` is that of a file, else it is unknown.
    """
    text = text.removeprefix("\ufeff")
    if not text_may_matter(text):
        return Module()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(text) if tree is None else tree
    except SyntaxError as error:
        return _unread(f"it is no valid Python: {error.msg}", error.lineno or 1)
    except (ValueError, RecursionError, MemoryError) as error:
        return _unread(f"Python can't parse it: {error}", 1)
    file = _file(path)
    levels = walked(tree)
    if not _may_matter(levels, text, file, settings):
        return Module()
    limit = limit_in(levels, text)
    if limit is not None:
        return _unread(limit.reason, limit.line)
    return _read_whole(text, tree, file, settings, is_notebook=is_notebook)


def _file(path: str) -> Path | None:
    """The absolute path of a file, if it is that of one."""
    try:
        file = Path(path).absolute() if path else None
        return file if file is not None and is_file(file) else None
    except (OSError, ValueError):
        return None


def tree_may_matter(tree: ast.Module, text: str, file: Path | None = None, settings: Settings = Settings()) -> bool:
    """Whether a file passes the gates on its tree; `file` is its absolute path, if it has one."""
    return _may_matter(walked(tree), text, file, settings)


def _may_matter(levels: Walked, text: str, file: Path | None, settings: Settings) -> bool:
    match interest_in(levels, text):
        case Interest.DATASETS:
            project = Project(file) if file is not None and settings.follow_depth else None
            return datasets_may_matter(levels, text, project.has if project is not None else lambda name: False)
        case interest:
            return interest is Interest.ALL


def _read_whole(text: str, tree: ast.Module, file: Path | None, settings: Settings, *, is_notebook: bool) -> Module:
    from libcst import ParserSyntaxError

    from flake8_torchloader.reading.reader import read_module

    try:
        return read_module(text, tree, file, settings, is_notebook=is_notebook)
    except ParserSyntaxError as error:
        return _unread("libcst can't parse it, though Python can", error.raw_line)
    except Exception as error:
        return _unread(f"{type(error).__name__} while reading it", 1)


def _unread(reason: str, line: int) -> Module:
    def span(site: Site) -> Span:
        return Span(line, 0, line, 0)

    return Module(failure=reason, span=span)
