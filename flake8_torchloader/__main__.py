"""`python -m flake8_torchloader`: the same as the command `torchloader`."""

from __future__ import annotations

from flake8_torchloader.command.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
