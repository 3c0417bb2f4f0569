"""What `--explain` prints, and where findings lead to if the site with the pages is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flake8_torchloader.catalogue import markdown
from flake8_torchloader.command.cli import FAILED, FOUND, main
from flake8_torchloader.rule import Rule
from flake8_torchloader.rules import all_rules

PROGRAM = "from torch.utils.data import DataLoader\n\nloader = DataLoader(range(8), num_workers=2)\n"
SITE = "https://docs.example.org/torchloader"


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_page_is_printed_by_code_and_by_name(rule: type[Rule], capsys: pytest.CaptureFixture[str]) -> None:
    for name in (rule.code, rule.code.lower(), rule.name):
        with pytest.raises(SystemExit) as left:
            main(["--explain", name])

        assert left.value.code == 0
        assert capsys.readouterr().out == markdown(rule)


def test_an_unknown_rule_is_refused_with_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--explain", "lambda-sent"])

    assert status == FAILED
    assert capsys.readouterr().err == (
        "torchloader: argument --explain: no rule 'lambda-sent': did you mean TLD201?\n"
    )
    assert main(["--explain", "?"]) == FAILED
    assert "no rule '?': write a code or a name, such as TLD101" in capsys.readouterr().err


@pytest.mark.parametrize("site", [SITE, f"{SITE}/"])
def test_findings_lead_to_the_pages_of_a_site(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(PROGRAM, encoding="utf-8")
    address = f"{SITE}/rules/TLD102/"

    assert main(["--pages", site, "--json", "found.json", "train.py"]) == FOUND
    assert address in capsys.readouterr().out.splitlines()
    assert [one["page"] for one in json.loads(Path("found.json").read_text("ascii"))["findings"]] == [address]

    assert main(["--pages", site, "--output-format", "sarif", "train.py"]) == FOUND
    driver = json.loads(capsys.readouterr().out)["runs"][0]["tool"]["driver"]
    assert address in {rule["helpUri"] for rule in driver["rules"]}


def test_without_a_site_findings_lead_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.py").write_text(PROGRAM, encoding="utf-8")
    main(["--output-format", "json", str(tmp_path / "train.py")])

    assert [one["page"] for one in json.loads(capsys.readouterr().out)["findings"]] == [None]
