"""What commands print besides tables: one line, fit for a terminal whatever names are in it."""

from __future__ import annotations

import sys
from typing import TextIO

from ir.printable import printable


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line to standard output or another stream."""
    print(printable(text), file=stream if stream is not None else sys.stdout)
