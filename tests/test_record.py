"""Records of many fields: what is given is kept, the rest is as declared, and nothing changes."""

from __future__ import annotations

import pickle
from functools import cached_property

import pytest

from flake8_torchloader.choosing.config import Config, Option
from flake8_torchloader.record import Record


class Point(Record):
    """A record like those of the linter."""

    x: int
    y: int = 2

    @cached_property
    def total(self) -> int:
        """What is made of the fields is none of them."""
        return self.x + self.y


def test_what_is_not_given_is_as_declared() -> None:
    assert (Point(x=1).y, Point(x=1, y=5).y, Point.fields()) == (2, 5, ("x", "y"))
    assert repr(Point(x=1)) == "Point(x=1, y=2)"


def test_an_option_is_its_default_in_a_record_and_itself_in_the_class() -> None:
    assert Config().large_array == 64 << 20
    assert isinstance(vars(Config)["large_array"], Option)
    assert Config.large_array is vars(Config)["large_array"]


@pytest.mark.parametrize(
    ("given", "named"),
    [({}, "missing fields ['x']"), ({"x": 1, "z": 1, "total": 1}, "unknown fields ['z', 'total']")],
)
def test_what_is_no_field_and_what_is_missing_is_named(given: dict[str, int], named: str) -> None:
    with pytest.raises(TypeError) as raised:
        Point(**given)

    assert named in str(raised.value)


def test_equal_is_what_has_equal_fields() -> None:
    one, two = Point(x=1), Point(x=1, y=2)

    assert one.total == 3
    assert one == two
    assert one != Point(x=1, y=3)
    assert one != (1, 2)


def test_a_record_never_changes() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match="can't be changed"):
        point.x = 3  # type: ignore[misc]

    assert (point, point.but(x=3)) == (Point(x=1), Point(x=3))


def test_a_record_can_be_sent_to_another_process() -> None:
    config = Config(select=("TLD2",))

    assert pickle.loads(pickle.dumps(config)) == config
