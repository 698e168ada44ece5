"""Runs Roastery by another name: ``python as_program.py NAME PATH ARGUMENTS``.

PATH is how the program was called, which may be a link to it; its folder counts. What `roastery
shims` makes starts this file by its path, so that it works however Roastery is installed, and from
any working directory.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the program that the command line names."""
    # Python has put this file's folder first on its path; ours is two above, if it is not there.
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if not sys.flags.safe_path:
        del sys.path[0]
    if home not in sys.path:
        sys.path.insert(0, home)
    name, called = sys.argv[1:3]
    sys.argv[:3] = [os.path.join(os.path.dirname(called), name)]
    from roastery.__main__ import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
