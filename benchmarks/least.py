"""The least that a command which reads Python could do: import `ast`, and parse as many arguments as `torchloader` has.

    python benchmarks/least.py PATH
"""

from __future__ import annotations

import argparse
import ast  # noqa: F401

VALUES, FLAGS = 29, 19
"""How many options of `torchloader` take a value, and how many are flags, the opposites of flags among them."""


def parser() -> argparse.ArgumentParser:
    """A parser as argparse makes it, with as many options of each kind."""
    made = argparse.ArgumentParser(prog="least")
    made.add_argument("paths", nargs="*", help="files and folders")
    for number in range(VALUES):
        made.add_argument(f"--value-{number}", metavar="VALUE", help="what is done with it")
    for number in range(FLAGS):
        made.add_argument(f"--flag-{number}", action="store_true", help="what is done then")
    return made


if __name__ == "__main__":
    parser().parse_args()
