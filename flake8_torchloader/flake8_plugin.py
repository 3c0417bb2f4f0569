"""The flake8 door: what stands behind `flake8 --select=TLD PATH`.

flake8 imports this module on every run, also where no file has to do with torch. Whatever costs
time is therefore imported in the function that needs it.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from flake8_torchloader import __version__
from flake8_torchloader.gate import text_may_matter
from flake8_torchloader.settings import Settings, option_type, parse_count, parse_size
from flake8_torchloader.start_method import parse_start_methods

if TYPE_CHECKING:
    from flake8.options.manager import OptionManager

    from flake8_torchloader.finding import Finding

FAILED = "TLD000"


class Choice:
    """What one run of flake8 asks of us, by the options it was given."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    @cached_property
    def settings(self) -> Settings:
        """The choices that change what is reported."""
        return Settings(
            start_methods=self._options.torchloader_start_methods,
            large_array=self._options.torchloader_large_array,
            follow_depth=self._options.torchloader_follow_depth,
            follow_files=self._options.torchloader_follow_files,
        )

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes that flake8 would show.

        They are looked up at the first file and no earlier, because other plugins, and the callers
        of flake8's Python interface, may change the options after we have seen them.
        """
        from flake8_torchloader.choosing.selection import codes_shown

        return codes_shown(self._decision(), [*(self._options.select or ()), *(self._options.extend_select or ())])

    def _decision(self) -> Callable[[str], bool]:
        """Ask flake8's own decision engine, so that our answer is that of the installed version.

        The engine is no promised interface. Should it move, every code is analysed, and flake8
        drops afterwards what is not selected.
        """
        try:
            from flake8.style_guide import Decision, DecisionEngine

            engine = DecisionEngine(self._options)
            return lambda code: engine.decision_for(code) is Decision.Selected
        except (ImportError, AttributeError, TypeError):
            return lambda code: True

    def path(self, filename: str) -> str:
        """The path of a file as flake8 names it; empty for standard input, which may be called like a file."""
        names = getattr(self._options, "filenames", None) or ()
        is_standard_input = "-" in names and filename == self._options.stdin_display_name
        return "" if is_standard_input else filename

    @property
    def is_verifying(self) -> bool:
        """Whether findings are to be proved by running the files that they stand in."""
        return bool(self._options.verify)

    def shown(self, findings: Sequence[Finding], text: str) -> Sequence[Finding]:
        """The findings that flake8 will show, which are those that are worth running a program for."""
        from flake8_torchloader.noqa import audible

        return findings if self._options.disable_noqa else audible(findings, text)


class Plugin:
    """What flake8 makes for each file: it takes the lines that flake8 has read, and does not open the file again."""

    name: ClassVar[str] = "flake8-torchloader"
    version: ClassVar[str] = __version__
    choice: ClassVar[Choice]

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self._tree = tree
        self._lines = lines
        self._filename = filename

    @staticmethod
    def add_options(manager: OptionManager) -> None:
        """Register our options; flake8 converts, and refuses, the values from config files too."""
        manager.add_option(
            "--torchloader-start-methods",
            type=option_type(parse_start_methods),
            default="fork,forkserver,spawn",
            metavar="METHODS",
            parse_from_config=True,
            help="Report what goes wrong under these start methods of worker processes. "
            "(Default: fork,forkserver,spawn)",
        )
        manager.add_option(
            "--torchloader-large-array",
            type=option_type(parse_size),
            default="64MiB",
            metavar="SIZE",
            parse_from_config=True,
            help="Report arrays of this many bytes or more that a dataset keeps; "
            "units as in 64MiB or 1GB. (Default: 64MiB)",
        )
        manager.add_option(
            "--torchloader-follow-depth",
            type=option_type(parse_count),
            default=str(Settings().follow_depth),
            metavar="N",
            parse_from_config=True,
            help="Follow imports from the same project so many files deep; 0 reads each file by itself. (Default: 6)",
        )
        manager.add_option(
            "--torchloader-follow-files",
            type=option_type(parse_count),
            default=str(Settings().follow_files),
            metavar="N",
            parse_from_config=True,
            help="Look into at most so many files of the project for one that is linted. (Default: 100)",
        )
        manager.add_option(
            "--verify",
            action="store_true",
            help="Run the files that have findings, with real workers, and put what that proves in brackets after each "
            "message. Command line only; one file at a time, whatever --jobs says; Linux only.",
        )

    @classmethod
    def parse_options(cls, manager: OptionManager, options: argparse.Namespace, names: Sequence[str]) -> None:
        """Remember what the user chose; runs again in each worker that flake8 does not fork."""
        cls.choice = Choice(options)
        if not cls.choice.is_verifying:
            return
        if "-" in names:
            manager.parser.error("--verify runs the files that it is given, and standard input is none")
        if not sys.platform.startswith("linux"):
            manager.parser.error("--verify runs programs on Linux only")
        options.jobs = type(options.jobs)("1")

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Give line (from 1), column (from 0), text and checker for each selected finding."""
        if not text_may_matter("".join(self._lines)):
            return  # before the rules are imported, which takes longer than flake8 takes for a short file
        codes = self.choice.codes
        findings = self._findings(codes) if codes else []
        verdicts = self._verdicts(findings) if findings and self.choice.is_verifying else {}
        for finding in findings:
            proved = f" [{verdicts[finding]}]" if finding in verdicts else ""
            yield finding.span.line, finding.span.column, f"{finding.code} {finding.message}{proved}", Plugin

    def _findings(self, codes: frozenset[str]) -> list[Finding]:
        from flake8_torchloader.finding import Finding, Span
        from flake8_torchloader.linting import lint

        text = "".join(self._lines)
        try:
            return lint(text, self.choice.path(self._filename), self.choice.settings, codes, self._tree)
        except Exception as error:
            # flake8 ends the run of all files when a plugin raises on one of them.
            reason = f"this file could not be analysed for worker hazards: {type(error).__name__} while checking it"
            return [Finding(Span(1, 0, 1, 0), FAILED, reason)] if FAILED in codes else []

    def _verdicts(self, findings: Sequence[Finding]) -> dict[Finding, str]:
        """What running the file proves about its findings, in a few words each."""
        from flake8_torchloader.linted import Linted
        from flake8_torchloader.report.verdicts import brief
        from flake8_torchloader.verifying import cases, verify

        shown = tuple(self.choice.shown(findings, "".join(self._lines)))
        try:
            files = [Linted(Path(self._filename), shown)]
            found = [verify(case, self.choice.settings) for case in cases(files, Path(sys.executable), Path())]
        except Exception as error:
            return dict.fromkeys(shown, f"could not be verified: {type(error).__name__}: {error}")
        return {proof.finding: brief(proof.verdict) for one in found for proof in one.proofs}
