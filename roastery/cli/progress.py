"""A progress bar for work that takes long, on a terminal only."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

_WIDTH = 30
_EVERY = 0.1
"""Seconds between two drawings."""


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A function to call with (done, total) as work goes on; total is 0 where it is not known.

    Draws nothing where standard error is no terminal, and removes what it drew.
    """
    out = sys.stderr
    shown = out.isatty()
    last = 0.0

    def draw(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if not shown or (now - last < _EVERY and done != total):
            return
        last = now
        if total:
            filled = _WIDTH * done // total
            bar = "#" * filled + "." * (_WIDTH - filled)
            text = f"{label} [{bar}] {100 * done // total:3d}% {done}/{total}"
        else:
            text = f"{label} {done}"
        out.write(f"\r\x1b[K{text}")
        out.flush()

    try:
        yield draw
    finally:
        if shown and last:
            out.write("\r\x1b[K")
            out.flush()
