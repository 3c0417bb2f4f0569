"""What another file holds is told without parsing it, its methods are read one by one, and nothing of that shows."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path

import libcst as cst
import pytest

from flake8_torchloader.linting import lint
from flake8_torchloader.reading.project import other_file as kept
from flake8_torchloader.reading.project.other_file import OtherFile, other_file
from flake8_torchloader.reading.project.outline import outline
from flake8_torchloader.reading.project.skeleton import skeleton
from flake8_torchloader.reading.project.unread import Method
from flake8_torchloader.reading.tree.guards import last_name
from flake8_torchloader.reading.tree.scopes import Scope

ODD = {
    "a string at the margin": 'def f():\n    """Of this:\ndef g(): pass\n"""\n\n\ndef h():\n    pass\n',
    "two strings at the margin": 'def f():\n    return """\n"""\n\n\ndef g():\n    return """\n"""\n',
    "a function in a docstring": '"""Use:\n\ndef f():\n    pass\n"""\nx = 1\n',
    "brackets at the margin": "def f(\n    a,\n):\n    return [\na,\n]\n\n\nclass C(\n    list\n): x = 1\n",
    "comments around": "def f():\n# one\n    pass\n    # two\n\n# three\n\n\nclass C: pass\n# four\n",
    "decorators": "@a(\n    1\n)\n@b\nasync def f():\n    await x\n\n\n@c\nclass D:\n    def g(self): ...\n",
    "branches": "if x:\n    def f():\n        pass\nelse:\n    class f: pass\ntry:\n    import y\nfinally:\n    z = 1",
    "one line after another": "def f(): pass; x = 1\nclass C: a = 1; b = 2\ny = 1; z = 2\n",
    "no newline at the end": "def f():\n    return 1",
    "a backslash": "def f(): \\\n    return 1\nx = \\\n    2\n",
    "an import in a class": "class C:\n    import os\n\n    def f(self):\n        import sys\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_a_skeleton_binds_what_its_file_binds(text: str) -> None:
    tree, bones = ast.parse(text), skeleton(text)

    def shown(statement: ast.stmt) -> tuple[str, str, int]:
        return type(statement).__name__.removeprefix("Async"), getattr(statement, "name", ""), statement.lineno

    assert list(map(shown, bones.tree.body)) == list(map(shown, tree.body))
    assert list(map(bones.last_line, bones.tree.body)) == [statement.end_lineno for statement in tree.body]


@pytest.mark.parametrize("text", ["x = = 1\n", "def f():\n    print 'x'\n", "try: x\nexcept A, b: y\n"])
def test_what_is_no_python_has_no_outline(text: str) -> None:
    with pytest.raises(SyntaxError):
        outline(text)


SAMPLES = '''\
import torch
from torch.utils.data import Dataset


class Samples(Dataset):
    kind = "plain"

    def __init__(self, root):
        self.root = root
        self.first = lambda x: x

    def prepare(self):
        """Text
    at the margin."""
        self.first = None
        self.second, self.rows[0] = 1, 2
        self.rows.append(open(self.root))

    def short(self): self.third = self.root

    @property
    def size(self):
        return len(self.rows)

    def by_name(self):
        setattr(self, "fourth", self.size)

    def __getitem__(self, index):
        yield self.rows[index].to("cpu")
'''


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.py"
    path.write_text(SAMPLES, encoding="utf-8")
    return path


def opened(path: Path) -> tuple[OtherFile, Scope]:
    kept._KEPT.clear()
    file = other_file(path)
    scope = file.definition("Samples") if file is not None else None
    assert file is not None and scope is not None
    return file, scope


def method(scope: Scope, name: str) -> Scope:
    found = scope.method(name)
    assert found is not None
    return found


def lines_read(path: Path, asked: Iterable[str]) -> tuple[OtherFile, Scope]:
    """The file, after it was asked for some attributes and methods, in this order."""
    file, scope = opened(path)
    for name in asked:
        if scope.method(name) is not None:
            file.look_into(method(scope, name))
        else:
            scope.attributes.get(name)
    return file, scope


def test_what_an_object_holds_does_not_depend_on_what_was_asked_before(samples: Path) -> None:
    def attributes(asked: Iterable[str]) -> list[tuple[str, list[int]]]:
        file, scope = lines_read(samples, asked)
        values = ((name, [b.value for b in bound if b.value is not None]) for name, bound in scope.attributes.items())
        return [(name, list(map(file.line, found))) for name, found in values]

    expected = [
        ("root", [9]), ("first", [10, 15]), ("second", [16]), ("rows", [16, 17]), ("third", [19]), ("fourth", [26]),
    ]  # fmt: skip
    for asked in permutations(["prepare", "first", "by_name", "rows", "__init__"], 3):
        assert attributes(asked) == expected


def test_a_method_is_read_when_it_is_asked_about(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = OtherFile.read_body

    def noting(file: OtherFile, one: Method) -> None:
        read.append(one.name)
        original(file, one)

    monkeypatch.setattr(OtherFile, "read_body", noting)
    file, scope = opened(samples)

    assert [base.node.value for base in scope.bases if isinstance(base.node, cst.Name)] == ["Dataset"]
    assert [one.name for one in method(scope, "prepare").around()][:2] == ["prepare", "Samples"]
    assert not method(scope, "prepare").returns and not method(scope, "by_name").is_generator
    assert read == []
    assert len(scope.attributes.get("root", [])) == 1
    assert read == ["__init__", "by_name"]  # of `setattr` it isn't known what it sets
    assert method(scope, "__getitem__").is_generator and len(method(scope, "size").returns) == 1
    assert read == ["__init__", "by_name", "__getitem__", "size"]
    assert [last_name(call.node) for call in file.calls_named("open")] == ["open"]
    assert read[4:] == ["prepare"]


def test_the_node_of_a_method_and_of_its_class_is_whole(samples: Path) -> None:
    _, scope = opened(samples)

    prepared = method(scope, "prepare").node
    assert isinstance(prepared, cst.FunctionDef) and len(prepared.body.body) == 4
    assert cst.Module([]).code_for_node(scope.node).strip() == SAMPLES[SAMPLES.index("class") :].strip()


def test_a_method_that_libcst_cannot_read_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "samples.py"
    path.write_text(SAMPLES.replace('"cpu"', '"unreadable"'), encoding="utf-8")
    original = cst.parse_module

    def parse(text: str) -> cst.Module:
        if "unreadable" in text:
            raise RecursionError
        return original(text)

    monkeypatch.setattr(cst, "parse_module", parse)
    file, scope = opened(path)
    file.look_into(method(scope, "__getitem__"))

    assert file.calls_of.get(method(scope, "__getitem__")) is None
    assert "rows" in dict(scope.attributes.items())


def test_what_a_method_of_another_file_does_is_told_by_its_line(samples: Path) -> None:
    path = samples.with_name("main.py")
    text = (
        "from torch.utils.data import DataLoader\nfrom samples import Samples\n\n\ndef run():\n"
        "    return DataLoader(Samples('x'), num_workers=2)\n"
    )
    samples.write_text(SAMPLES.replace('.to("cpu")', '.to("cuda")').replace("yield", "return"), encoding="utf-8")
    path.write_text(text, encoding="utf-8")

    [use] = [one for one in lint(text, str(path)) if one.code == "TLD601"]
    assert [(Path(one.path).name, one.line) for one in use.elsewhere] == [("samples.py", 29)]
