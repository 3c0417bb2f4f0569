"""The text of a program is what Python reads in its file."""

from __future__ import annotations

import io
import tokenize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flake8_torchloader.source_text import decoded

COOKIES = (b"", b"# coding: latin-1\n", b"\n# -*- coding: utf-8 -*-\r\n", b"\xef\xbb\xbf", b"#!x\r# coding: cp1252\r\n")


def as_python_reads(content: bytes) -> str | type[Exception]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except (SyntaxError, UnicodeError, LookupError) as error:
        return type(error)


def as_we_read(content: bytes) -> str | type[Exception]:
    try:
        return decoded(content)
    except (SyntaxError, UnicodeError, LookupError) as error:
        return type(error)


@given(st.sampled_from(COOKIES), st.binary() | st.text("aé\r\n\f\x1c\u2028 #").map(str.encode))
@example(b"", b"\n\n# coding: latin-1\n\xe9")
@example(b"\xef\xbb\xbf", b"# coding: latin-1\n")
@example(b"", b"x = 1\r\ny = 2\rz = 3\n")
def test_all_is_read_as_python_reads_it(cookie: bytes, rest: bytes) -> None:
    assert as_we_read(cookie + rest) == as_python_reads(cookie + rest)


@pytest.mark.parametrize("content", [b"# coding: nonsense\n", b"# coding: rot13\n", b"# coding: utf-7\n+AHQ-orch\n"])
def test_odd_encodings(content: bytes) -> None:
    assert as_we_read(content) == as_python_reads(content)
