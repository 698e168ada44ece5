"""``python -m roastery`` is ``roastery``."""

from __future__ import annotations

import sys

# Little is imported before these two: signals may arrive from the first moment on.
from roastery.cli.signals import end_with, hold_signals
from roastery.startup.working_folder import take_working_folder_off


def main() -> int:
    """The program: its signals are held from the start, and its exit code is final."""
    hold_signals()
    take_working_folder_off()
    from roastery.cli.main import main

    code = main(called=sys.argv[0])
    end_with(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
