"""Tells results: to a person as they come, to a machine all at once."""

from __future__ import annotations

import sys
from pathlib import Path

from flake8_torchloader.command.command_line import Order
from flake8_torchloader.command.refused import Refused
from flake8_torchloader.command.terminal import complain, paint_for_stdout
from flake8_torchloader.report import Format
from flake8_torchloader.report.words import statistics, unused_line
from flake8_torchloader.results import Results


class Teller:
    """Prints on standard output, or writes to the files that were named."""

    def __init__(self, order: Order) -> None:
        self._output, self._json = order.output, order.json
        self._is_live = order.output.output_format.is_for_people and order.output.output_file is None
        self._paint = paint_for_stdout()

    def tell(self, results: Results) -> None:
        """Print what was found, if a person is reading."""
        if not self._is_live:
            return
        from flake8_torchloader.report import concise, text

        is_text = self._output.output_format is Format.TEXT
        print(text.findings(results, self._paint) if is_text else concise.findings(results), end="", flush=True)

    def close(self, results: Results) -> None:
        """Write what is to be written, and say what is said in the end."""
        self._finish(results)
        if self._json is not None:
            write(self._json, Format.JSON.document(results))
        for file in results.files:
            for one in file.unused:
                complain(unused_line(file.path, one, file.cells))
        if self._output.statistics:
            print(statistics(results), end="", file=sys.stdout if self._is_live else sys.stderr)

    def _finish(self, results: Results) -> None:
        from flake8_torchloader.report import concise, text

        if self._output.output_file is not None:
            write(self._output.output_file, self._output.output_format.document(results))
        elif not self._is_live:
            print(self._output.output_format.document(results), end="")
        elif not self._output.quiet:
            is_text = self._output.output_format is Format.TEXT
            print(text.closing(results) if is_text else concise.closing(results), end="")


def write(path: Path, text: str) -> None:
    """Write a file; raise Refused, naming it, if that can't be done."""
    from flake8_torchloader.output_file import write_whole

    try:
        write_whole(path, text)
    except OSError as error:
        raise Refused(f"can't write {path}: {error.strerror}") from error
