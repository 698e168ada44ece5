"""``python -m roastery`` is ``roastery``."""

import os
import sys

# Python puts the working directory first on its path for -m: modules there must not stand in for
# what we import. In a checkout that is not installed it is where we come from.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if __name__ == "__main__" and not sys.flags.safe_path and sys.path[0] != _HOME:
    del sys.path[0]

from roastery.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
