"""Lets one new process run a script's top level again, as a spawned worker would: `again.py script arguments...`.

No loader has workers in that process, so it comes past the first loader that would break it, and all others are seen.
"""

from __future__ import annotations

import multiprocessing
import os
import sys


def main(arguments: list[str]) -> int:
    """Start the process with the script as its main module; its exit status is ours."""
    sys.modules["__main__"].__file__ = arguments[0]
    sys.argv = arguments
    sys.path[0] = os.path.dirname(arguments[0])
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    return process.exitcode or 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
