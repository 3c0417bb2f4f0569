"""What a user can choose, and how it is read from text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flake8_torchloader.settings import MEBIBYTE, Settings, parse_size, spell_size
from flake8_torchloader.start_method import (
    ALL_METHODS,
    StartMethod,
    parse_start_methods,
    spell,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("0", 0),
        ("10b", 10),
        ("64MiB", 64 * MEBIBYTE),
        ("64 mib", 64 * MEBIBYTE),
        (" 64M ", 64 * MEBIBYTE),
        ("1.5 GB", 1_500_000_000),
        ("2GiB", 2048 * MEBIBYTE),
        ("3kB", 3000),
        ("3KiB", 3072),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1 parsec", "1,5 GB", "0x10", "nan", "1e3", "9" * 400])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.text())
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        assert parse_size(text) >= 0
    except ValueError as error:
        assert "not a size" in str(error)


@pytest.mark.parametrize(
    ("size", "text"),
    [(2048, "2 KiB"), (94 * MEBIBYTE, "94 MiB"), (1288490189, "1.2 GiB")],
)
def test_sizes_are_written_as_a_person_would(size: int, text: str) -> None:
    assert spell_size(size) == text


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("fork", {StartMethod.FORK}),
        ("spawn, fork", {StartMethod.FORK, StartMethod.SPAWN}),
        ("fork,\nforkserver,\nspawn,", ALL_METHODS),
    ],
)
def test_start_methods_are_read(text: str, methods: set[StartMethod]) -> None:
    assert parse_start_methods(text) == methods


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fork,vfork", "unknown start method 'vfork': choose from fork, forkserver, spawn"),
        ("fork spawn", "unknown start method 'fork spawn'"),
        ("", "no start method given"),
        (",", "no start method given"),
    ],
)
def test_what_is_no_start_method_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_start_methods(text)


def test_the_linux_default_is_named_where_it_suffers() -> None:
    assert spell({StartMethod.FORK}) == "under fork"
    assert spell({StartMethod.FORKSERVER, StartMethod.SPAWN}) == "under spawn/forkserver (Linux default from 3.14)"
    assert spell(ALL_METHODS) == "under every start method"


def test_by_default_every_start_method_and_64_mebibytes_count_and_imports_are_followed() -> None:
    assert Settings() == Settings(
        start_methods=ALL_METHODS, large_array=64 * MEBIBYTE, follow_depth=6, follow_files=100
    )
