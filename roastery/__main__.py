"""``python -m roastery`` is ``roastery``."""

from __future__ import annotations

import os
import sys

# Python puts the working directory first on its path for -m: modules there must not stand in for
# what we import. In a checkout that is not installed it is where we come from.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if __name__ == "__main__" and not sys.flags.safe_path and sys.path[0] != _HOME:
    del sys.path[0]

# Before the rest is imported: signals may arrive from the first moment on.
from roastery.cli.signals import end_with, hold_signals  # noqa: E402


def main() -> int:
    """The program: its signals are held from the start, and its exit code is final."""
    hold_signals()
    from roastery.cli.main import main

    code = main()
    end_with(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
