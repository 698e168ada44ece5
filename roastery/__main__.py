"""``python -m roastery`` is ``roastery``."""

import sys

from roastery.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
