"""What programs may use: these names, their arguments and what they give are promised by the version.

They stand in the package itself (`from flake8_torchloader import lint`), which imports this file when one is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from flake8_torchloader.choosing.config import Config, options
from flake8_torchloader.choosing.config_file import BadConfig, nearest
from flake8_torchloader.command.command_line import OPTIONS
from flake8_torchloader.finding import Finding, Note, Span
from flake8_torchloader.linted import Linted
from flake8_torchloader.problem import Problem
from flake8_torchloader.running.program import Entry, Limits
from flake8_torchloader.sources import Linter
from flake8_torchloader.sources import lint_paths as _lint_paths
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.verdict import Outcome, Verdict
from flake8_torchloader.verifying import Proof, Verification, cases
from flake8_torchloader.verifying import verify as _verify

__all__ = [
    "BadConfig", "Config", "Entry", "Finding", "Limits", "Linted", "Note", "Outcome", "Problem", "Proof", "Span",
    "StartMethod", "Verdict", "Verification", "lint", "lint_paths", "read_config", "verify",
]  # fmt: skip

_DEFAULTS = Config()


def lint(text: str, path: str | Path = "text.py", config: Config = _DEFAULTS) -> list[Finding]:
    """Find the hazards in the text of one program, or of a notebook if `path` ends with `.ipynb`.

    The path names the text, decides which `per_file_ignores` apply, and tells where its imports lie; it is not opened.
    What `# noqa` silences is left out. A text that can't be parsed gives one finding that says so, TLD000.

    Raises:
        ValueError: if a notebook is none.
    """
    linted = Linter(config).text(text.replace("\r\n", "\n").replace("\r", "\n"), Path(path))
    if isinstance(linted, Problem):
        raise ValueError(str(linted))
    return list(linted.findings)


def lint_paths(paths: Iterable[str | Path], config: Config = _DEFAULTS) -> Iterator[Linted | Problem]:
    """Find the hazards in files, and in folders with programs and notebooks in and below them, in their order.

    What can't be read is given as a Problem, and does not keep the others from being linted. No config file is looked
    for: `read_config` gives what the nearest one says. Processes are only started if `config.jobs` is not 1, and that
    takes a main program that is guarded.
    """
    return _lint_paths([Path(path) for path in paths], config)


def read_config(folder: str | Path = ".") -> Config:
    """What the config file says that is nearest to a folder, upward from it; the defaults if there is none.

    Raises:
        BadConfig: if the file can't be read, or holds what we don't know.
    """
    file = nearest(Path(folder), OPTIONS)
    if file is None:
        return _DEFAULTS
    own = {name: value for name, value in file.values.items() if name in options(Config)}
    return Config(**{**own, "root": file.path.parent})  # type: ignore[arg-type]


def verify(
    paths: Iterable[str | Path],
    config: Config = _DEFAULTS,
    *,
    python: str | Path = sys.executable,
    cwd: str | Path = ".",
    arguments: Sequence[str] = (),
    entry: Entry | None = None,
    limits: Limits = Limits(),
) -> Iterator[Verification]:
    """Run each program that has findings, with real workers, and say which of the findings are real; on Linux only.

    `python` is the interpreter to run with, which has torch, `cwd` the folder to run in, and `arguments` are for each
    script. With an `entry` no script is run but what it returns, for the findings of all files.

    Raises:
        ValueError: if a path can't be read.
        NotPossibleHere: on another system than Linux.
    """
    found = list(lint_paths(paths, config))
    for one in found:
        if isinstance(one, Problem):
            raise ValueError(str(one))
    files = [one for one in found if isinstance(one, Linted)]
    for case in cases(files, Path(python), Path(cwd), entry, arguments):
        yield _verify(case, config.settings, limits)
