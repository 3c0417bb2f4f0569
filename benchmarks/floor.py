"""The floor: what `ast.parse` takes for all files of a folder, and `libcst.parse_module` for those that pass our gate.

    python benchmarks/floor.py PATH

Beside it, what the reader and all rules take for the latter, each read by itself and with the tree that flake8 has
anyway. It prints CPU seconds and numbers of files as JSON. No garbage is collected meanwhile, as none is while we read.
"""

from __future__ import annotations

import ast
import gc
import json
import sys
import time
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import libcst

from flake8_torchloader.gate import text_may_matter
from flake8_torchloader.linting import lint
from flake8_torchloader.reading import tree_may_matter

Program = tuple[str, ast.Module]


def texts(path: Path) -> Iterator[str]:
    """The texts of all files that can be decoded."""
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        try:
            with tokenize.open(file) as opened:
                yield opened.read()
        except (OSError, SyntaxError, UnicodeError, LookupError):
            continue


def seconds(task: Callable[[Program], object], programs: Iterable[Program]) -> float:
    """The CPU time of a task for all programs, without the making of the list."""
    taken = 0.0
    for program in programs:
        began = time.process_time()
        task(program)
        taken += time.process_time() - began
        gc.collect(0)
    return taken


def parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def libcst_parse(program: Program) -> None:
    """The floor for one program, where libcst gets through."""
    try:
        libcst.parse_module(program[0])
    except libcst.ParserSyntaxError:
        pass


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one folder."""
    (path,) = sys.argv[1:] if argv is None else argv
    warnings.simplefilter("ignore")
    gc.disable()
    lint("from torch.utils.data import DataLoader\nDataLoader([], num_workers=2)\n", "")
    all_texts = list(texts(Path(path)))
    began = time.process_time()
    trees = [parsed(text) for text in all_texts]
    taken = time.process_time() - began
    passing = [
        (text, tree)
        for text, tree in zip(all_texts, trees)
        if tree is not None and text_may_matter(text) and tree_may_matter(tree, text)
    ]
    del trees
    measured = {
        "files": len(all_texts),
        "passing": len(passing),
        "ast": taken,
        "libcst": seconds(libcst_parse, passing),
        "lint": seconds(lambda program: lint(program[0], "", tree=program[1]), passing),
    }
    print(json.dumps(measured))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
