"""The pytest door: `pytest --torchloader PATH` and the fixture `torchloader`.

pytest imports this module in every run of every project that shares the environment. So nothing is imported at its
top but pytest, and nothing happens unless the option or the fixture is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flake8_torchloader.finding import Finding
    from flake8_torchloader.linted import Linted
    from flake8_torchloader.verdict import Verdict

MARK = "torchloader"


class Broken(Exception):
    """The harm was seen; the text is what the failure shows."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register our options."""
    group = parser.getgroup("torchloader", "hazards of DataLoader workers, proved by running")
    group.addoption(
        "--torchloader",
        action="append",
        default=[],
        metavar="PATH",
        help="lint this file or folder, run the programs that have findings with real workers, and give one test for "
        "each finding: it fails if confirmed, passes if refuted, and is skipped if unknown (may be given again)",
    )
    group.addoption(
        "--torchloader-timeout", type=float, default=60.0, metavar="S", help="seconds for one run (default: 60)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make our mark known where it will be used, so that `-m torchloader` selects the findings."""
    if config.getoption("torchloader"):
        config.addinivalue_line("markers", f"{MARK}: a finding of torchloader")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the findings to what was collected, before anything is selected or spread from it."""
    names: list[str] = config.getoption("torchloader")
    if not names:
        return
    _refuse_other_systems()
    for file in _lint(config.invocation_params.dir / name for name in names):
        collector: Program = Program.from_parent(session, path=file.path, linted=file)
        found = list(collector.collect())
        report = pytest.CollectReport(collector.nodeid, "passed", None, [*found])
        collector.ihook.pytest_collectreport(report=report)
        items.extend(found)


def _refuse_other_systems() -> None:
    if not sys.platform.startswith("linux"):
        raise pytest.UsageError("--torchloader runs programs on Linux only")


def _lint(paths: Iterable[Path]) -> Iterator[Linted]:
    from flake8_torchloader.choosing.config import Config
    from flake8_torchloader.problem import Problem
    from flake8_torchloader.sources import lint_paths

    for file in lint_paths(paths, Config()):
        if isinstance(file, Problem):
            raise pytest.UsageError(f"--torchloader: {file}")
        if file.findings:
            yield file


class Program(pytest.File):
    """A file with findings; it is run when the first of them is asked for, and its verdicts are kept."""

    def __init__(self, *, linted: Linted, **rest: Any) -> None:
        super().__init__(**rest)
        self.linted = linted

    def collect(self) -> Iterator[Proving]:
        """One test for each finding, by its code and place."""
        for finding in self.linted.findings:
            name = f"{finding.code}:{finding.span.line}:{finding.span.column + 1}"
            yield Proving.from_parent(self, name=name, finding=finding)

    @cached_property
    def verdicts(self) -> dict[Finding, Verdict]:
        """What the runs of this program proved."""
        from flake8_torchloader.running.program import Limits
        from flake8_torchloader.settings import Settings
        from flake8_torchloader.verifying import cases, verify

        limits = Limits(seconds=self.config.getoption("torchloader_timeout"))
        cwd = self.config.invocation_params.dir
        (case,) = cases([self.linted], Path(sys.executable), cwd)
        return {proof.finding: proof.verdict for proof in verify(case, Settings(), limits).proofs}


class Proving(pytest.Item):
    """One finding, to be proved."""

    def __init__(self, *, finding: Finding, **rest: Any) -> None:
        super().__init__(**rest)
        self.finding = finding
        self.add_marker(MARK)
        if self.config.pluginmanager.hasplugin("xdist"):
            # With `--dist loadgroup` one process gets all findings of a program, which is then run once.
            self.add_marker(pytest.mark.xdist_group(str(self.path)))

    def runtest(self) -> None:
        """Fail with the evidence, pass, or skip with the reason."""
        from flake8_torchloader.report.verdicts import verdict_lines
        from flake8_torchloader.report.words import finding_line
        from flake8_torchloader.verdict import Outcome

        assert isinstance(self.parent, Program)
        verdict = self.parent.verdicts[self.finding]
        if verdict.reason is not None:
            span = self.finding.span
            place = f"{self._shown_path()}:{span.line}:{span.column + 1}"
            pytest.skip(f"{place}: {self.finding.code}: {verdict.reason.value}")
        if verdict.outcome is Outcome.CONFIRMED:
            raise Broken("\n".join([finding_line(self._shown_path(), self.finding), *verdict_lines(verdict)]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The finding with its evidence, without the lines of this plugin."""
        return str(excinfo.value) if isinstance(excinfo.value, Broken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the finding stands."""
        return self.path, self.finding.span.line - 1, self.name

    def _shown_path(self) -> Path:
        root = self.config.invocation_params.dir
        return self.path.relative_to(root) if self.path.is_relative_to(root) else self.path


class Checker:
    """What the fixture `torchloader` gives: a way to ask whether loaders live under every start method."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def check(
        self,
        entry: str,
        *,
        workers: int = 2,
        start_methods: Sequence[str] = ("fork", "forkserver", "spawn"),
        timeout: float = 60.0,
        cwd: Path | str | None = None,
    ) -> None:
        """Fail with evidence if what a factory returns breaks in worker processes.

        `entry` is `package.module:factory`, importable from `cwd` (the root of the project unless given) or through
        PYTHONPATH. It returns loaders, or datasets, which get loaders with so many `workers`. `timeout` is in seconds,
        for each of the runs: one without workers, and one for each start method. Nothing to judge is a failure, too;
        only where torch is not installed the test is skipped.
        """
        __tracebackhide__ = True
        from flake8_torchloader.report.verdicts import verdict_lines
        from flake8_torchloader.running.program import Entry, Limits
        from flake8_torchloader.running.program import Program as Runnable
        from flake8_torchloader.safety import check_loaders
        from flake8_torchloader.start_method import parse_start_methods
        from flake8_torchloader.verdict import Outcome, Reason

        _refuse_other_systems()
        program = Runnable(Entry(entry, workers), Path(sys.executable), Path(cwd or self._root))
        methods = parse_start_methods(",".join(start_methods))
        verdict = check_loaders(program, Limits(seconds=timeout), methods)
        if verdict.reason is Reason.NO_TORCH:
            pytest.skip(verdict.reason.value)
        if verdict.outcome is not Outcome.REFUTED:
            pytest.fail("\n".join([entry, *verdict_lines(verdict)]), pytrace=False)


@pytest.fixture(scope="session")
def torchloader(request: pytest.FixtureRequest) -> Checker:
    """Check that loaders live under every start method: `torchloader.check("package.module:factory")`."""
    return Checker(request.config.rootpath)
