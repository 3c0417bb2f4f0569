"""What was measured, in Markdown: the table of trees, the floor, the targets, and the conditions."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import targets
from results import Results
from targets import Measured

BEGIN, END = "<!-- compare: begin (written by benchmarks/compare.py) -->", "<!-- compare: end -->"


def tables(
    all_of: Sequence[Results], started: Sequence[Results], small: Results, conditions: str
) -> tuple[list[Measured], str]:
    """What was measured for each target, and all tables together."""
    measured = [*measurements(all_of), *starts(started)]
    parts = (usage_table(all_of, small), floor_table(all_of), torchfix_line(all_of), targets.rows(measured))
    return measured, "\n\n".join([conditions, *filter(None, ("\n".join(part) for part in parts))])


def replaced(page: str, text: str) -> str:
    """A page with other text between its marks; raise ValueError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no line {BEGIN}, or none {END} after it")
    return f"{before}{begin}\n{text}\n{end}{after}"


def machine(with_us: Path, torchfix: Path | None, repetitions: int) -> str:
    """What it was measured on."""
    ours = _versions(with_us, "flake8", "libcst")
    theirs = f"; {_versions(torchfix, 'torchfix', 'libcst')} in its own environment" if torchfix is not None else ""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_processor()}, {cores} cores, {platform.system()}; CPython {platform.python_version()}, {ours}{theirs}. "
        f"CPU time of all processes together, one process at a time (`--jobs=1`), and peak memory: medians of "
        f"{repetitions} interleaved rounds."
    )


def usage_table(all_of: Sequence[Results], small: Results) -> Iterator[str]:
    """Seconds, ratios and peak memory for each tree."""
    yield "| Tree | files | lines | flake8 | with us | ratio | cold | / flake8 | warm | / cold | peak MiB |"
    yield "|---|" + "---:|" * 10
    for one in all_of:
        flake8 = f"{_s(one, 'flake8')} | {_s(one, 'with us')} | {one.ratio('with us', 'flake8'):.3f}"
        cold = f"{_s(one, 'cold')} | {one.ratio('cold', 'flake8'):.3f}"
        peaks = _peaks(one, "flake8", "with us", "cold", "warm")
        yield f"| {_tree(one)} | {flake8} | {cold} | {_warm(one)} | {peaks} |"
    yield f"| {_tree(small)} | | | | {_s(small, 'cold')} | | {_warm(small)} | {_peaks(small, 'cold', 'warm')} |"
    yield ""
    yield "Cold and warm are `torchloader` with an empty cache and with what it kept there. The peaks are those of"
    yield "flake8, of flake8 with us, and of `torchloader` cold and warm; flake8 did not run over the last tree."


def floor_table(all_of: Sequence[Results]) -> Iterator[str]:
    """What the parsers take."""
    yield "| Tree | `ast.parse`, all files | files past our gate | `libcst.parse_module` of these | reader and rules |"
    yield "|---|" + "---:|" * 4
    for one in (one for one in all_of if one.floors):
        whole, parser, ours = (f"{one.floor(name):.2f} s" for name in ("ast", "libcst", "lint"))
        passing = f"{one.floor('passing'):.0f} of {one.floor('files'):.0f}"
        yield f"| {one.tree.name} | {whole} | {passing} | {parser} | {ours} |"


def torchfix_line(all_of: Sequence[Results]) -> Iterator[str]:
    """What flake8 with TorchFix took, where it ran."""
    for one in (one for one in all_of if "TorchFix" in one.used):
        times = one.seconds("TorchFix") / one.seconds("flake8")
        peak = one.mebibytes("TorchFix")
        yield (
            f"flake8 with TorchFix took {_s(one, 'TorchFix')} for {one.tree.name}, {times:.1f} times as long as "
            f"without, and {peak:.0f} MiB."
        )


def measurements(all_of: Sequence[Results]) -> Iterator[Measured]:
    """All that there is a target for."""
    empty, scripts, without, *given = all_of
    for target, one in ((targets.EMPTY, empty), (targets.SCRIPTS, scripts), (targets.WITHOUT_LOADERS, without)):
        yield Measured(target, one.tree.name, one.ratio("with us", "flake8"))
    yield from (Measured(targets.HEAVY, one.tree.name, one.ratio("with us", "flake8")) for one in given)
    for one in (one for one in all_of if "TorchFix" in one.used):
        share, theirs = (one.seconds(name) - one.seconds("flake8") for name in ("with us", "TorchFix"))
        yield Measured(targets.TORCHFIX, one.tree.name, share / theirs)
    for one in (one for one in all_of if one.floors and one.floor("libcst")):
        yield Measured(targets.READER, one.tree.name, one.floor("lint") / one.floor("libcst"))
    for one in (without, *given):
        yield Measured(targets.COLD, one.tree.name, one.ratio("cold", "flake8"))
    for one in given:  # where no file passes the first gate, the cache has nothing to spare
        yield Measured(targets.WARM, one.tree.name, one.ratio("warm", "cold"))
    for one in all_of:
        yield Measured(targets.MEMORY, one.tree.name, one.mebibytes("with us") - one.mebibytes("flake8"))


def starts(started: Sequence[Results]) -> Iterator[Measured]:
    """What a run costs that finds next to nothing to do."""
    yield from (Measured(targets.START, one.tree.name, one.ratio("warm", "least")) for one in started)


def _tree(one: Results) -> str:
    return f"{one.tree.name} | {one.tree.files:,} | {one.tree.lines:,}"


def _s(one: Results, name: str) -> str:
    return f"{one.seconds(name):.2f} s"


def _warm(one: Results) -> str:
    return f"{_s(one, 'warm')} | {one.ratio('warm', 'cold'):.3f}"


def _peaks(one: Results, *names: str) -> str:
    return " / ".join(f"{one.mebibytes(name):.0f}" for name in names)


def _versions(python: Path, *packages: str) -> str:
    program = "import sys, importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
    return subprocess.run([python, "-c", program, *packages], check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    """The name of the processor, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
