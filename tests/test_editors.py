"""What an editor shows: flake8 behind a language server, and the command lines that editors' plugins run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from flake8_torchloader.linting import lint

PROGRAM = """\
from torch.utils.data import DataLoader

if __name__ == "__main__":
    loader = DataLoader(range(8), collate_fn=lambda batch: batch, num_workers=2)
    print(next(iter(loader)))
"""
"""Not what is on the disk: an editor has text that was never saved."""

DISPLAY_NAME = "not saved/träin.py"


class LanguageServer:
    """python-lsp-server, as an editor talks to it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def send(self, method: str, params: object, number: int | None = None) -> None:
        """Ask for something (with a number) or tell something (without one)."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if number is None else {**message, "id": number}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._in.flush()

    def messages(self) -> Iterator[dict[str, Any]]:
        """All that it says, until it ends."""
        while header := self._out.readline():
            length = int(header.partition(b":")[2])
            while self._out.readline().strip():
                pass
            yield json.loads(self._out.read(length))

    def diagnostics(self) -> list[dict[str, Any]]:
        """What it says next about a file."""
        return next(
            message["params"]["diagnostics"]
            for message in self.messages()
            if message.get("method") == "textDocument/publishDiagnostics"
        )


@contextmanager
def language_server(folder: Path) -> Iterator[LanguageServer]:
    """A server that was told to run flake8, and nothing else, over what is opened."""
    plugins = {name: {"enabled": False} for name in ("pycodestyle", "pyflakes", "mccabe")}
    flake8 = {"enabled": True, "executable": f"{Path(sys.executable).parent / 'flake8'}"}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    command = [sys.executable, "-m", "pylsp"]
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=nothing) as process:
        server = LanguageServer(process)
        server.send("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}}, number=1)
        next(message for message in server.messages() if message.get("id") == 1)
        server.send("initialized", {})
        settings = {"pylsp": {"plugins": {**plugins, "flake8": flake8}}}
        server.send("workspace/didChangeConfiguration", {"settings": settings})
        yield server
        process.kill()


@pytest.mark.skipif(find_spec("pylsp") is None, reason="python-lsp-server is not installed")
def test_a_language_server_shows_a_finding_at_its_place(tmp_path: Path) -> None:
    finding, *others = lint(PROGRAM, "train.py")
    document = {"uri": (tmp_path / "train.py").as_uri(), "languageId": "python", "version": 1, "text": PROGRAM}

    with language_server(tmp_path) as server:
        server.send("textDocument/didOpen", {"textDocument": document})
        shown = [one for one in server.diagnostics() if str(one.get("code", "")).startswith("TLD")]

    assert others == []
    assert [(one["code"], one["range"]["start"]) for one in shown] == [
        ("TLD201", {"line": finding.span.line - 1, "character": finding.span.column})
    ]
    assert finding.message in shown[0]["message"]


@pytest.mark.parametrize(
    "options",
    [
        ["--format=%(row)d,%(col)d,%(code).1s,%(code)s:%(text)s", "--stdin-display-name", DISPLAY_NAME],
        ["--format=default", "--stdin-display-name", DISPLAY_NAME],
    ],
    ids=["the extension of VS Code", "ALE"],
)
def test_the_command_lines_of_editors_give_the_finding(options: list[str], tmp_path: Path) -> None:
    finding, *_ = lint(PROGRAM, "train.py")
    command = [sys.executable, "-m", "flake8", "--select=TLD", *options, "-"]
    ended = subprocess.run(command, input=PROGRAM, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.stderr == ""
    assert [line.count(finding.message) for line in ended.stdout.splitlines()] == [1]
    assert f"{finding.span.line}{',' if 'row' in options[0] else ':'}{finding.span.column + 1}" in ended.stdout
