"""What is looked for and where, as a config file, a command line or a program says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from flake8_torchloader.choosing.patterns import is_pattern
from flake8_torchloader.choosing.selection import Selection
from flake8_torchloader.record import Record
from flake8_torchloader.settings import MEBIBYTE, Settings, parse_count, parse_size
from flake8_torchloader.start_method import ALL_METHODS, StartMethod, parse_start_methods

T = TypeVar("T")

Codes = tuple[str, ...]
_CODE = re.compile(r"[A-Z]{1,3}[0-9]{0,3}", re.ASCII)


class Option(NamedTuple):
    """What a choice is if nobody chooses, how it is read from text, and what `--help` says; a flag has no `metavar`.

    A list or a table of texts, which TOML has, is read as the text that means the same if it has no parser of its own.
    """

    default: object
    parse: Callable[[str], object]
    metavar: str
    help: str
    parse_list: Callable[[Sequence[str]], object] | None = None
    parse_table: Callable[[Mapping[str, str]], object] | None = None

    def __get__(self, record: Record | None, kind: type[Record]) -> object:
        """The value in a record that was given none; the option itself, if its class is asked."""
        return self if record is None else self.default


def option(
    default: T,
    parse: Callable[[str], object],
    metavar: str,
    help: str,
    *,
    parse_list: Callable[[Sequence[str]], object] | None = None,
    parse_table: Callable[[Mapping[str, str]], object] | None = None,
) -> T:
    """A field that a user sets by its name, in a config file and on the command line."""
    made: Any = Option(default, parse, metavar, help, parse_list, parse_table)
    return made  # type: ignore[no-any-return]


def options(kind: type[Record]) -> Mapping[str, Option]:
    """The fields of a record that users set: name to option, in their order."""
    return {name: value for name, value in vars(kind).items() if isinstance(value, Option)}


def parse_flag(text: str) -> bool:
    """Read yes or no, in the words that config files have for it; raise ValueError."""
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.strip().lower() not in known:
        raise ValueError(f"neither true nor false: {text!r}")
    return known[text.strip().lower()]


def parse_path(text: str) -> Path:
    """Read a path; raise ValueError if it is empty, as where a variable is not set, or is none that a system knows."""
    if not text or "\0" in text:
        raise ValueError(f"not a path: {text!r}")
    return Path(text)


def parse_jobs(text: str) -> int:
    """Read a number of processes, 0 for `auto`; raise ValueError."""
    if text.strip() == "auto":
        return 0
    if not re.fullmatch(r"\s*0*[1-9][0-9]{0,3}\s*", text, re.ASCII):
        raise ValueError(f"not a number of processes: {text!r} (write a number from 1 to 9999, or auto)")
    return int(text)


def parse_codes(text: str) -> Codes:
    """Read codes or beginnings of codes, such as `TLD2,TLD301`; raise ValueError naming one that there is not."""
    codes = tuple(re.split(r"[,\s]+", text.strip())) if text.strip(", \n\t") else ()
    for code in filter(None, codes):
        _require_known(code)
    return tuple(filter(None, codes))


def parse_selection(text: str) -> Codes:
    """Read codes as `parse_codes` does; raise ValueError also if there are none, as nothing would ever be found."""
    codes = parse_codes(text)
    if not codes:
        raise ValueError("no code given: write some, or leave the option out to look for all")
    return codes


def _require_known(prefix: str) -> None:
    from difflib import get_close_matches

    from flake8_torchloader.rules import FAMILY, all_rules

    known = [rule.code for rule in all_rules()]
    if any(code.startswith(prefix) for code in known):
        return
    is_ours = prefix.upper().startswith(FAMILY[0])
    near = get_close_matches(prefix.upper(), [FAMILY, *known], n=1) if is_ours else []
    hint = f"did you mean {near[0]}?" if near else f"all begin with {FAMILY}"
    raise ValueError(f"unknown code {prefix!r}: {hint}")


def parse_patterns(text: str) -> tuple[str, ...]:
    """Read patterns as in `.gitignore`, which commas or line ends separate; raise ValueError."""
    return parse_pattern_list([part.strip() for part in re.split(r"[,\n]", text)])


def parse_pattern_list(texts: Iterable[str]) -> tuple[str, ...]:
    """The patterns among texts, each as it is; raise ValueError naming what is none."""
    patterns = tuple(filter(None, texts))
    for pattern in patterns:
        if not is_pattern(pattern):
            raise ValueError(f"not a pattern: {pattern!r}")
    return patterns


def parse_per_file_ignores(text: str) -> tuple[tuple[str, Codes], ...]:
    """Read `pattern:codes` pairs, as flake8 writes them: `tests/*:TLD1,TLD2 demo.py:TLD`; raise ValueError."""
    pairs: list[tuple[str, Codes]] = []
    names: list[str] = []
    codes: list[str] | None = None
    for token in (*re.findall(r":|[^\s,:]+", text), ""):
        if codes and not _CODE.fullmatch(token) and token != ":":
            pairs += [(name, parse_codes(",".join(codes))) for name in names]
            names, codes = [], None
        if codes is None and token not in ("", ":"):
            names.append(token)
        elif codes is None and token == ":" and names:
            codes = []
        elif codes is not None and _CODE.fullmatch(token):
            codes.append(token)
        elif token or names:
            raise ValueError(f"not pairs of pattern:codes: {' '.join(text.split())!r}")
    return tuple(pairs)


def parse_ignores_table(table: Mapping[str, str]) -> tuple[tuple[str, Codes], ...]:
    """Read codes by the pattern that they are left out for; raise ValueError naming what is none."""
    return tuple((pattern, parse_codes(codes)) for pattern, codes in table.items() if parse_pattern_list([pattern]))


class Config(Record):
    """The choices that decide what is found in which files.

    Codes may be beginnings of codes, as in flake8. Patterns are those of `.gitignore`, relative to `root`. `jobs` is a
    number of processes, 0 for as many as pay off: more than one needs a main program that is guarded. With `cache`,
    what was found is kept for the next time, in `cache_dir` or, for None, in a hidden folder below `root`.
    """

    select: Codes | None = option(None, parse_selection, "CODES", "look for these codes only (beginnings will do)")
    extend_select: Codes = option((), parse_codes, "CODES", "look for these as well, such as opt-in codes")
    ignore: Codes = option((), parse_codes, "CODES", "leave these codes out")
    extend_ignore: Codes = option((), parse_codes, "CODES", "leave these out as well")
    per_file_ignores: tuple[tuple[str, Codes], ...] = option(
        (), parse_per_file_ignores, "PAIRS", "leave codes out in some files: 'tests/*:TLD1,TLD2 demo.py:TLD'",
        parse_table=parse_ignores_table,
    )  # fmt: skip
    exclude: tuple[str, ...] = option(
        (), parse_patterns, "PATTERNS", "pass over these files and folders", parse_list=parse_pattern_list
    )
    extend_exclude: tuple[str, ...] = option(
        (), parse_patterns, "PATTERNS", "pass over these as well", parse_list=parse_pattern_list
    )
    respect_gitignore: bool = option(True, parse_flag, "", "look also at what git ignores")
    start_methods: frozenset[StartMethod] = option(
        ALL_METHODS, parse_start_methods, "METHODS", "the start methods to think of, and to run under (default: all)"
    )
    large_array: int = option(
        64 * MEBIBYTE, parse_size, "SIZE", "report arrays of so many bytes that a dataset keeps (default: 64MiB)"
    )
    follow_depth: int = option(
        6, parse_count, "N", "follow imports from the same project so many files deep, 0 for none (default: 6)"
    )
    follow_files: int = option(
        100, parse_count, "N", "look into at most so many files of the project for one that is linted (default: 100)"
    )
    disable_noqa: bool = option(False, parse_flag, "", "obey no # noqa")
    report_unused_noqa: bool = option(False, parse_flag, "", "report each # noqa: TLD... that silences nothing")
    jobs: int = option(1, parse_jobs, "N", "use so many processes (default: auto)")
    cache: bool = option(False, parse_flag, "", "lint every file anew, and keep nothing for the next run")
    cache_dir: Path | None = option(
        None, parse_path, "DIR", "keep there what was found (default: .torchloader_cache, beside the config file)"
    )
    root: Path = Path()

    @cached_property
    def settings(self) -> Settings:
        """What the rules are told."""
        return Settings(self.start_methods, self.large_array, self.follow_depth, self.follow_files)

    @cached_property
    def selection(self) -> Selection:
        """Which codes are looked for, before a file is named."""
        return Selection(self.select, self.extend_select, (*self.ignore, *self.extend_ignore))


def rebased(values: Mapping[str, object], here: Path, root: Path) -> dict[str, object]:
    """The values with patterns that were meant relative to `here` made relative to `root`, if that is above it."""
    here, root = here.resolve(), root.resolve()
    if here == root or not here.is_relative_to(root):
        return dict(values)
    rebase = partial(_rebased_pattern, way=here.relative_to(root).as_posix())
    return {name: _with_patterns(name, value, rebase) for name, value in values.items()}


def _with_patterns(name: str, value: Any, rebase: Callable[[str], str]) -> object:
    match name:
        case "exclude" | "extend_exclude":
            return tuple(map(rebase, value))
        case "per_file_ignores":
            return tuple((rebase(pattern), codes) for pattern, codes in value)
    return value


def _rebased_pattern(pattern: str, way: str) -> str:
    """A pattern with a slash in it begins at its folder; others match anywhere."""
    sign, rest = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    return f"{sign}/{way}/{rest.lstrip('/')}" if "/" in rest.rstrip("/") else pattern
