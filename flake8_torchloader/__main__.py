"""The command `torchloader`, which is also `python -m flake8_torchloader`."""

from __future__ import annotations

import gc


def main() -> int:
    """Do what the command line of this process says, and give its exit status.

    All that is imported stays to the end. So no garbage is looked for in it: neither meanwhile, nor in a later
    collection, nor in those that Python makes when it ends.
    """
    gc.disable()
    from flake8_torchloader.command import cli

    gc.freeze()
    gc.enable()
    return cli.main()


if __name__ == "__main__":
    raise SystemExit(main())
