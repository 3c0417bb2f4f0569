"""Throw mutated programs, and whole trees of real ones, at the linter: no exception, no hang, no dead process.

    python benchmarks/fuzz.py --minutes 30
    python benchmarks/fuzz.py --tree .venv/lib/python3.12/site-packages

Each program is linted in a child process, which is watched: one that dies or takes too long is named and replaced.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import signal
import sys
import time
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from flake8_torchloader.linting import lint

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
BEGINNING = "from torch.utils.data import DataLoader, Dataset\n"
LOADER = "\nDataLoader(Dataset(), num_workers=2, collate_fn=lambda batch: batch)\n"
NESTS = (
    "(@)", "[@]", "(@,)", "f(@)", "f(a=@)", "{0: @}", "(x for y in @)", "lambda a=@: a", "not @", "x[@]", "f'{@}'",
    "(@ if a else b)", "(y := @)", "@.a", "@()", "@ + 1", "1 + @", "@ and b", "*@, x",
)  # fmt: skip
"""Expressions around another, which stands where the @ is."""

HEADS = (
    "x = @", "del @", "for @ in y: pass", "with @ as z: pass", "match x:\n    case @: pass", "@ = x", "x: @ = 1",
    "class A(@): pass", "if @: pass\nelif @: pass", "def f(a=@): return a", "y = lambda: @", "x += @",
)  # fmt: skip
"""Statements around an expression."""

ODD = ("\0", "\x0c", "\r", "\ufeff", "\ud800", "\u2028", "\x1a", "é", "\\\n", "\t")
INNERMOST = ("x", "1", "'a'", "loader", "Dataset()", "DataLoader(d, num_workers=2)", "lambda: 0")
BAD_REASONS = ("while reading it", "while checking it")
SECONDS = 5.0
LINES_PER_SECOND = 500
"""Processor time after which a program counts as a hang: a fixed part, and one for its length."""


def programs(seed: int) -> Iterator[str]:
    """Endless programs, the same ones for the same seed."""
    dice = random.Random(seed)
    texts = [read(path) for path in sorted(FIXTURES.rglob("*.py"))]
    makers = (moved_lines, moved_tokens, nested, repeated, spliced_bytes)
    while True:
        yield dice.choice(makers)(dice, texts)


def moved_lines(dice: random.Random, texts: Sequence[str]) -> str:
    """A fixture of which some lines are cut out, swapped, or taken from another."""
    lines = dice.choice(texts).splitlines(keepends=True)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(lines))
        lines[place : place + dice.randint(0, 2)] = dice.sample(dice.choice(texts).splitlines(keepends=True), 1)
    return "".join(lines)


def moved_tokens(dice: random.Random, texts: Sequence[str]) -> str:
    """A fixture of which some tokens are replaced by tokens of another."""
    tokens, others = TOKEN.findall(dice.choice(texts)), TOKEN.findall(dice.choice(texts))
    for _ in range(dice.randint(1, 8)):
        tokens[dice.randrange(len(tokens))] = dice.choice(others)
    return "".join(tokens)


def nested(dice: random.Random, texts: Sequence[str]) -> str:
    """An expression in an expression, often of one kind, in a statement beside a loader."""
    kinds = dice.sample(NESTS, dice.randint(1, 3))
    text = dice.choice(INNERMOST)
    for _ in range(dice.choice([3, 8, 20, 70, 200, 900])):
        text = dice.choice(kinds).replace("@", text)
    return f"{BEGINNING}{dice.choice(HEADS).replace('@', text)}{LOADER}"


def repeated(dice: random.Random, texts: Sequence[str]) -> str:
    """A statement of a fixture, many times, with a number in some of its names."""
    text = dice.choice(texts)
    line = dice.choice([line for line in text.splitlines() if line[:1].strip()] or ["x = 1"])
    name = dice.choice(re.findall(r"[a-z]\w*", line) or ["x"])
    many = "\n".join(line.replace(name, f"{name}{n % dice.randint(1, 9)}") for n in range(dice.choice([10, 100, 700])))
    return f"{BEGINNING}{many}\n{text}"


def spliced_bytes(dice: random.Random, texts: Sequence[str]) -> str:
    """A fixture with characters in it that no one types."""
    text = dice.choice(texts)
    for _ in range(dice.randint(1, 5)):
        place = dice.randrange(len(text))
        text = text[:place] + dice.choice(ODD) + text[place:]
    return text


def read(path: Path) -> str:
    with tokenize.open(path) as file:
        return file.read()


def tree_programs(folder: Path) -> Iterator[tuple[str, str]]:
    """The programs of a tree; each also as one that makes a loader, so that all of them are read in earnest."""
    for path in sorted(folder.rglob("*.py")):
        try:
            text = read(path)
        except (OSError, SyntaxError, UnicodeError, LookupError):
            continue
        yield str(path), text + LOADER if text.startswith("from __future__") else BEGINNING + text + LOADER


def complaint(text: str) -> str:
    """What is wrong with how a program was linted; empty if nothing is."""
    try:
        found = lint(text, "program.py")
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    reasons = [one.message for one in found if one.code == "TLD000"]
    return next((reason for reason in reasons if any(bad in reason for bad in BAD_REASONS)), "")


class Watched:
    """A child process that lints programs, one at a time."""

    def __init__(self) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def lint(self, text: str) -> str:
        """What is wrong with how a program was linted; the process does not outlive a death or a hang."""
        self._connection.send(text)
        try:
            return str(self._connection.recv())
        except (EOFError, OSError):
            self._process.join()
        return "took too long" if self._process.exitcode == -signal.SIGVTALRM else f"died with {self._process.exitcode}"

    def end(self) -> None:
        """Kill the process, and wait until it is gone."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection) -> None:
    """What the child does; a timer of its own processor time ends it, in whatever it is caught."""
    warnings.simplefilter("ignore")
    complaint(BEGINNING + LOADER)
    while True:
        try:
            text = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS + text.count("\n") / LINES_PER_SECOND)
        connection.send(complaint(text))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def fuzz(programs: Iterator[tuple[str, str]], deadline: float, keep: Path | None) -> tuple[int, int]:
    """Lint programs until the time is over; give how many there were, and of how many there is a complaint."""
    count = bad = 0
    watched = Watched()
    for name, text in programs:
        if time.monotonic() > deadline:
            break
        count += 1
        wrong = watched.lint(text)
        if wrong:
            bad += 1
            print(f"{name}: {wrong}", flush=True)
            _keep(text, keep, bad)
        if wrong.startswith(("took", "died")):
            watched.end()
            watched = Watched()
    watched.end()
    return count, bad


def _keep(text: str, folder: Path | None, number: int) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"program{number}.py").write_bytes(text.encode("utf-8", "surrogatepass"))


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="where the made programs begin (default: 0)")
    parser.add_argument("--tree", type=Path, help="lint the programs of this folder instead of made ones")
    parser.add_argument("--keep", type=Path, help="write the programs with a complaint into this folder")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; the exit status is 1 if anything is wrong."""
    arguments = parse_arguments(argv)
    made = ((f"seed {arguments.seed}, program {n}", text) for n, text in enumerate(programs(arguments.seed)))
    chosen = tree_programs(arguments.tree) if arguments.tree else made
    count, bad = fuzz(chosen, time.monotonic() + 60 * arguments.minutes, arguments.keep)
    print(f"{count} programs, {bad} with a complaint (Python {sys.version.split()[0]})")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
