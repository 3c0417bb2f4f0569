"""The text of a program, from the bytes of its file."""

from __future__ import annotations

_COOKIE = b"coding"
_MARK = b"\xef\xbb\xbf"


def decoded(content: bytes) -> str:
    """The text of a file in the encoding that Python would read it in, with plain line ends.

    Raises:
        SyntaxError: if the encoding is not known, or is named twice and differently.
        ValueError: if the content is not in its encoding.
        LookupError: if the encoding is none for text.
    """
    if not content.startswith(_MARK) and _COOKIE not in _first_two_lines(content):
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return _as_told(content)
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return _as_told(content)


def _first_two_lines(content: bytes) -> bytes:
    end = content.find(b"\n", content.find(b"\n") + 1)
    return content if end < 0 else content[:end]


def _as_told(content: bytes) -> str:
    """The text in the encoding that the file names itself."""
    import io
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return io.TextIOWrapper(io.BytesIO(content), encoding).read()
