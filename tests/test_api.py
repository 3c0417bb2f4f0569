"""What programs may use, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import flake8_torchloader
from flake8_torchloader import (
    BadConfig,
    Config,
    Entry,
    Limits,
    Linted,
    Outcome,
    Problem,
    StartMethod,
    Verification,
    api,
    lint,
    lint_paths,
    read_config,
    verify,
)
from flake8_torchloader.verifying import Case

LAMBDA = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""


def test_each_name_is_there_and_typed() -> None:
    assert flake8_torchloader.__all__ == api.__all__
    assert all(getattr(flake8_torchloader, name) is getattr(api, name) for name in api.__all__)
    assert (Path(flake8_torchloader.__file__).parent / "py.typed").is_file()
    assert {*api.__all__} <= {*dir(flake8_torchloader)}
    assert all(getattr(api, name).__doc__ for name in api.__all__)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="'flake8_torchloader' has no attribute 'lintt'"):
        flake8_torchloader.lintt  # noqa: B018


def test_importing_the_package_imports_nothing_that_costs_time() -> None:
    program = "import sys, flake8_torchloader.flake8_plugin; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    imported = set(ended.stdout.split())

    assert "flake8_torchloader.flake8_plugin" in imported
    assert not imported & {"libcst", "torch", "rich", "pathspec", "tomllib", "tomli", "multiprocessing", "json"}
    assert not {name for name in imported if name.startswith("flake8_torchloader.reading")}


def test_a_text_is_linted_without_a_file() -> None:
    (found,) = lint(LAMBDA, "absent/shown.py")

    assert (found.code, found.span.line, found.span.column) == ("TLD201", 4, 45)
    assert found.methods == {StartMethod.FORKSERVER, StartMethod.SPAWN}
    assert lint(LAMBDA.replace("=2)", "=2)  # noqa: TLD201")) == []
    assert lint(LAMBDA.replace("\n", "\r\n")) == lint(LAMBDA) == lint(f"\ufeff{LAMBDA}")
    assert [one.code for one in lint("from torch.utils.data import DataLoader\n(")] == ["TLD000"]


def test_a_config_decides_what_is_found(tmp_path: Path) -> None:
    assert lint(LAMBDA, config=Config(ignore=("TLD2",))) == []
    assert lint(LAMBDA, config=Config(start_methods=frozenset({StartMethod.FORK}))) == []
    assert lint(LAMBDA, tmp_path / "a.py", Config(per_file_ignores=(("a.py", ("TLD",)),), root=tmp_path)) == []


def test_a_text_that_is_no_notebook_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nb\.ipynb: is no notebook"):
        lint("no notebook", "nb.ipynb")


def test_paths_are_linted_in_their_order(tmp_path: Path) -> None:
    for name in ("b.py", "a.py"):
        (tmp_path / name).write_text(LAMBDA, encoding="utf-8")
    first, second, third = lint_paths([tmp_path / "b.py", str(tmp_path), tmp_path / "absent"])

    assert isinstance(first, Linted)
    assert isinstance(second, Linted)
    assert (first.path, second.path) == (tmp_path / "b.py", tmp_path / "a.py")
    assert third == Problem(tmp_path / "absent", "No such file or directory")


def test_the_nearest_config_file_is_read(tmp_path: Path) -> None:
    text = "[tool.torchloader]\nselect = ['TLD2']\noutput-format = 'sarif'\n"
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "sub").mkdir()

    assert read_config(tmp_path / "sub") == Config(select=("TLD2",), root=tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.torchloader]\nx = 1", encoding="utf-8")
    with pytest.raises(BadConfig, match="unknown key 'x'"):
        read_config(tmp_path)


def test_programs_are_verified_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Case, Limits]] = []

    def prove(case: Case, settings: object, limits: Limits) -> Verification:
        asked.append((case, limits))
        return Verification(case.program, limits, {}, ())

    monkeypatch.setattr(api, "_verify", prove)
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(LAMBDA, encoding="utf-8")
    proved = verify([tmp_path], python="py", cwd=tmp_path, arguments=["-x"], limits=Limits(seconds=3))

    next(proved)
    assert len(asked) == 1
    assert (len([*proved]), asked[0][1]) == (1, Limits(seconds=3))
    assert asked[0][0].program.python == Path("py")
    assert [*verify([tmp_path], Config(select=("TLD4",)))] == []
    assert len([*verify([tmp_path], entry=Entry("data:make"))]) == 1
    with pytest.raises(ValueError, match="absent: No such file"):
        next(verify([tmp_path / "absent"]))


def test_verdicts_have_names() -> None:
    assert [outcome.value for outcome in Outcome] == ["confirmed", "refuted", "unknown"]
