"""What `benchmarks/compare.py` makes of its measurements: ratios, targets, and a page with other tables."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import least
import pytest
import tables
import targets
import trees
from growth import Growth
from growth_plot import draw
from results import Results
from shapes import SHAPES
from usage import Usage, usage

from flake8_torchloader.command import arguments
from flake8_torchloader.command.command_line import OPTIONS

DOCS = Path(__file__).parent.parent / "docs"
PERFORMANCE = DOCS / "performance.md"


def results(tree: trees.Tree) -> Results:
    """Three rounds, in the second of which the machine was twice as slow."""
    made = Results(tree)
    for slow in (1, 2, 1):
        runs = [("flake8", 4.0, 50), ("with us", 4.4, 60), ("cold", 1.0, 40), ("warm", 0.1, 30), ("least", 0.08, 20)]
        for name, seconds, peak in runs:
            made.add(name, Usage(slow * seconds, peak))
        made.floors.append({"files": 9, "passing": 3, "ast": 0.1, "libcst": 1.0 * slow, "lint": 1.2 * slow})
    return made


def test_ratios_are_those_of_neighbours_and_targets_tell_which_hold(tmp_path: Path) -> None:
    made = [trees.empty_file(tmp_path), trees.loader_scripts(tmp_path, 7), trees.without_loaders(tmp_path, 130)]
    all_of = [results(tree) for tree in (*made, trees.given(tmp_path / "scripts"))]
    all_of[-1].add("TorchFix", Usage(44.0, 150))
    started = [results(trees.one_script(tmp_path))]
    measured, text = tables.tables(all_of, started, results(trees.small_files(tmp_path, 3)), "here")
    values = {one.target: round(one.value, 4) for one in measured}

    assert values == {
        targets.EMPTY: 1.1, targets.SCRIPTS: 1.1, targets.WITHOUT_LOADERS: 1.1, targets.HEAVY: 1.1,
        targets.TORCHFIX: 0.01, targets.READER: 1.2, targets.COLD: 0.25, targets.WARM: 0.1, targets.MEMORY: 10,
        targets.START: 1.25,
    }  # fmt: skip
    assert {one.target for one in measured if not one.holds} == {targets.WITHOUT_LOADERS}
    assert "| 130 programs without a loader | 130 | 1,430 | 4.00 s | 4.40 s | 1.100 |" in text
    assert "same files | scripts | 1/100 | 1/25 | 1/80 | aim |" in text
    assert "tree without loaders | 130 programs without a loader | 1.10 | 1.02 | 1.00 | **missed** |" in text


def test_trees_are_as_large_as_they_say(tmp_path: Path) -> None:
    scripts, without = trees.loader_scripts(tmp_path, 5), trees.without_loaders(tmp_path, 101)
    for tree in (scripts, without, trees.small_files(tmp_path, 3)):
        found = trees.given(tree.path)

        assert (found.files, found.lines) == (tree.files, tree.lines)


def test_the_least_that_could_be_done_is_to_parse_as_many_options() -> None:
    ours = [one.nargs for one in arguments._parser(OPTIONS, 80)._actions]

    assert Counter(one.nargs for one in least.parser()._actions) == Counter(ours)


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = PERFORMANCE.read_text(encoding="utf-8")
    once = tables.replaced(page, "| a |")

    assert "| a |" in once and once.startswith(page.partition(tables.BEGIN)[0])
    assert tables.replaced(once, "| b |") == tables.replaced(page, "| b |")
    with pytest.raises(ValueError, match="has no line"):
        tables.replaced("nothing", "| a |")


def test_what_children_use_counts_and_a_failure_is_told() -> None:
    work = "x = b'x' * 90_000_000; sum(range(5_000_000))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}], check=True)"
    used = usage([sys.executable, "-c", parent])

    assert used.mebibytes > 90
    assert used.seconds > 0.05
    with pytest.raises(RuntimeError, match="ended with 3"):
        usage([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_plot_on_the_page_shows_every_shape() -> None:
    drawn = (DOCS / "growth.svg").read_text(encoding="utf-8")

    assert [shape.name for shape in SHAPES if f">{shape.name}</text>" not in drawn] == []
    assert "growth.svg" in PERFORMANCE.read_text(encoding="utf-8")


def test_the_same_times_give_the_same_plot_and_a_small_one(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    growths = [Growth(shape, {size: 20.0 + size for size in shape.sizes}) for shape in SHAPES]
    for name in ("one.svg", "two.svg"):
        draw(growths, tmp_path / name)

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.svg").stat().st_size < 60_000
