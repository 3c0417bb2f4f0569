"""Where nodes stand is told as libcst's own provider of positions tells it, only quicker."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from test_fixtures import FILES, identifier

from flake8_torchloader.finding import Span
from flake8_torchloader.reading.flow.names import Names
from flake8_torchloader.reading.tree.collect import Collector
from flake8_torchloader.reading.tree.parsing import parse
from flake8_torchloader.reading.tree.positions import Positions
from flake8_torchloader.reading.tree.walk import below, walk
from flake8_torchloader.reading.tree.writing import Stretch, Written

ODD = (
    "x = 1\r\ny = (\r\n    2,\r\n)\r\n",
    "if x:\n\ty = '''a\n\n  b'''; z = f'{x!r:>{y}}'\nelif (\n  y\n): pass\nelse:\n  pass",
    "\n\n# a comment\n@decorator\n\n# another\nasync def f(a, /, b: int = 1, *c) -> None: # end\n  yield await a\n\f\n",
    "with (a as b, c): ...\ntry: x\nexcept* E as e: raise\nfinally: del (y), z[1:2, ::3]\n",
    "match a:\n    case {'x': [1, *_], **rest} | P(q=None) if (b := a): print(\"é\", lambda *a, b=1: (yield))\n",
)


def stretches(module: cst.Module) -> dict[int, Stretch]:
    """What libcst's own provider tells of each node below the module."""
    ranges = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    return {
        id(node): (where.start.line, where.start.column, where.end.line, where.end.column)
        for node, where in ranges.items()
        if node is not module
    }


def written(module: cst.Module) -> dict[int, Stretch]:
    """What we tell of them."""
    found = Written(module).stretches
    del found[id(module)]
    return found


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "TLD000"], ids=identifier)
def test_nodes_stand_where_libcst_says(path: Path) -> None:
    module = cst.parse_module(path.read_text(encoding="utf-8"))
    assert written(module) == stretches(module)


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_written_as_they_are(text: str) -> None:
    module = cst.parse_module(text)
    assert written(module) == stretches(module)


@pytest.mark.parametrize("path", [path for path in FILES[::6] if path.parent.name != "TLD000"], ids=identifier)
def test_calls_and_what_loops_iterate_stand_where_libcst_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    parsed = parse(text, tree)
    file = Collector(parsed.module)
    walk(parsed.module, file)
    positions = Positions(text, parsed, tree, Names(file))
    whole = cst.parse_module(text)
    known = stretches(whole)
    nodes = dict(zip(map(id, below(parsed.module)), map(id, below(whole))))
    for site in (*file.calls, *file.loops):
        assert positions(site) == Span(*known[nodes[id(site.node)]])
