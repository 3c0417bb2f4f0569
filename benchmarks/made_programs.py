"""Programs that no one writes, made of the bundled ones: endless, and the same ones for the same seed."""

from __future__ import annotations

import codecs
import random
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

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
OTHER_TIMES = (
    "print 'x'", "exec code in space", "raise ValueError, 'x'", "x = `y`", "x = 0777", "x = ur'y'", "x = 1 <> 2",
    "def f((a, b)): pass", "try: pass\nexcept A, b: pass", "from __future__ import braces", "async = 1", "print >>f, x",
    "type X[T] = list[T]", "def f[T: int](x: T) -> T: return x", "class A[*Ts, **P]: pass", "class A[T = int]: pass",
    "x = f'{f'{x!r:>{'9'}}'}'", "x = t'{y}'", "try: pass\nexcept A, B: pass", "try: pass\nexcept* A: pass",
    "match x:\n    case {'a': [1, *_]}: pass", "with (a as b, c as d): pass", "x[*y] = 1", "lazy import json",
    "def f():\n    try: pass\n    finally: return 1", "x = [*y for y in z]", "x = {**y for y in z}", "x = 1_0",
)  # fmt: skip
"""Statements of older Pythons, and of newer ones than the oldest that we run on."""

ENCODINGS = (
    "utf-8", "utf-8-sig", "latin-1", "cp1252", "koi8-r", "shift_jis", "euc_jp", "gb18030", "big5", "cp037", "utf-16",
    "utf-32", "utf-7", "iso2022_jp", "hz", "mac_roman", "unicode_escape",
)  # fmt: skip
COOKIES = (
    *ENCODINGS, "idna", "punycode", "rot13", "hex", "undefined", "charmap", "klingon", "utf8-mac-unix", "\ufeff",
)  # fmt: skip
ENDS = ("\n", "\r\n", "\r", "\n\r", "\x0c\n", "\x0b", "\x85", "\u2028")

Program = str | bytes
"""The text of a program, or the content of a file."""

Maker = Callable[[random.Random, Sequence[str]], Program]


def programs(seed: int) -> Iterator[Program]:
    """Programs of all makers, in turn by chance."""
    dice = random.Random(seed)
    texts = [read(path) for path in sorted(FIXTURES.rglob("*.py"))]
    makers: list[Maker] = [moved_lines, moved_tokens, nested, repeated, spliced, of_other_times, encoded]
    if find_spec("hypothesmith") is not None:
        makers.append(Grown(seed))
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


def spliced(dice: random.Random, texts: Sequence[str]) -> str:
    """A fixture with characters in it that no one types."""
    text = dice.choice(texts)
    for _ in range(dice.randint(1, 5)):
        place = dice.randrange(len(text))
        text = text[:place] + dice.choice(ODD) + text[place:]
    return text


def of_other_times(dice: random.Random, texts: Sequence[str]) -> str:
    """A fixture with statements in it that only older, or only newer Pythons know."""
    lines = dice.choice(texts).splitlines()
    for _ in range(dice.randint(1, 3)):
        lines.insert(dice.randrange(len(lines)), dice.choice(OTHER_TIMES))
    return "\n".join([*lines, ""])


def encoded(dice: random.Random, texts: Sequence[str]) -> bytes:
    """A fixture as a file in some encoding, which it may name wrongly, with odd ends of lines and bytes of chance."""
    encoding = dice.choice(ENCODINGS)
    named = dice.choice([encoding, encoding, dice.choice(COOKIES), ""])
    lines = [f"# -*- coding: {named} -*-" if named else "#", "x = 'äЖ日'", *dice.choice(texts).splitlines()]
    end = dice.choice(ENDS)
    content = codecs.encode(end.join(lines), encoding, "replace")
    mark = dice.choice([b"", b"", b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
    spoilt = bytearray(mark + content)
    for _ in range(dice.choice([0, 0, 1, 5])):
        spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
    return bytes(spoilt[: dice.choice([len(spoilt), len(spoilt), dice.randrange(len(spoilt)) + 1])])


class Grown:
    """Programs that hypothesmith grows from Python's grammar, and from libcst's nodes, beside a loader."""

    BATCH = 40

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._ready: list[str] = []

    def __call__(self, dice: random.Random, texts: Sequence[str]) -> str:
        """The next one."""
        if not self._ready:
            self._seed += 1
            self._ready = self._batch()
        return f"{BEGINNING}{self._ready.pop()}{LOADER}"

    def _batch(self) -> list[str]:
        import hypothesmith
        from hypothesis import HealthCheck, Phase, given, seed, settings

        grown: list[str] = []
        calm = settings(database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

        @seed(self._seed)
        @settings(calm, max_examples=self.BATCH)
        @given(hypothesmith.from_grammar() | hypothesmith.from_node())
        def grow(program: str) -> None:
            grown.append(program)

        grow()
        return grown


def read(path: Path) -> str:
    """The text of a program."""
    with tokenize.open(path) as file:
        return file.read()


def tree_programs(folder: Path) -> Iterator[tuple[str, Program]]:
    """The programs of a tree; each also as one that makes a loader, so that all of them are read in earnest."""
    for path in sorted(folder.rglob("*.py")):
        try:
            text = read(path)
        except (OSError, SyntaxError, UnicodeError, LookupError):
            continue
        yield str(path), text + LOADER if text.startswith("from __future__") else BEGINNING + text + LOADER
