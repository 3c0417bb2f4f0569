"""What only the main program has: where the rule speaks of one cause once, and what it says of a notebook."""

from __future__ import annotations

import pytest

from flake8_torchloader.linting import lint

HEAD = "from torch.utils.data import DataLoader, Dataset\n"
DATASET = """
class Scaled(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return index * scale
"""
LOOP = "for batch in DataLoader(Scaled(), num_workers=2):\n    print(batch)\n"


def found(text: str, *, is_notebook: bool = False) -> list[tuple[int, str]]:
    """The lines and messages of TLD104."""
    findings = lint(HEAD + text, "train.py", rules={"TLD104"}, is_notebook=is_notebook)
    return [(finding.span.line, finding.message) for finding in findings]


def guarded(text: str) -> str:
    inner = "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
    return f'if __name__ == "__main__":\n{inner}'


def test_a_class_that_is_not_found_has_no_chance_to_read_anything() -> None:
    ((line, message),) = found(guarded(f"scale = 2\n{DATASET}{LOOP}"))
    assert line == 5
    assert message.startswith("Scaled is defined in the main program only: workers can't find it")


def test_a_notebook_has_all_it_defines_for_itself() -> None:
    ((line, message),) = found(f"scale = 2\n{DATASET}{LOOP}", is_notebook=True)
    assert line == 4
    assert message.startswith("Scaled is defined in the notebook only: workers can't find it")
    assert message.endswith("define it in a module")


def test_a_name_that_no_process_imports_is_an_error_there() -> None:
    ((_, message),) = found(DATASET + guarded(f"scale = 2\n{LOOP}"))
    assert message.startswith("scale is set in the main program only: NameError in the workers' __getitem__")


@pytest.mark.parametrize("value", ["3", "max(1, 3)", "len(names)"])
def test_what_is_set_to_the_same_again_is_no_other_value(value: str) -> None:
    assert found(f"names = [1]\nscale = {value}\n{DATASET}" + guarded(f"scale = {value}\n{LOOP}")) == []
    assert len(found(f"names = [1]\nscale = {value}\n{DATASET}" + guarded(f"scale = 7\n{LOOP}"))) == 1


@pytest.mark.parametrize(
    "binding",
    [
        "scale = 1",
        "for scale in range(2): pass",
        "import scale",
        "try: pass\n        except OSError as scale: pass",
    ],
)
def test_a_name_of_the_function_itself_is_no_global(binding: str) -> None:
    own = DATASET.replace("        return index * scale", f"        {binding}\n        return index * scale")
    assert found(own + guarded(f"scale = 2\n{LOOP}")) == []


def test_a_function_that_is_called_from_nowhere_known_leaves_the_name_alone() -> None:
    setter = "def set_up():\n    global scale\n    scale = 5\n"
    assert found(f"scale = 1\n{setter}{DATASET}" + guarded(LOOP)) == []
    assert len(found(f"scale = 1\n{setter}{DATASET}" + guarded(f"set_up()\n{LOOP}"))) == 1
