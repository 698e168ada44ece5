"""A progress bar for work that takes long, on a terminal only."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

_EVERY = 0.1
"""Seconds between two drawings."""
_COLUMNS, _ROWS = 80, 24
"""Of a terminal that does not say how large it is."""


class ProgressBar:
    """Is called with (done, total) as work goes on; total is 0 where it is not known.

    Draws nothing where standard error is no terminal, and removes what it drew.
    """

    def __init__(self, label: str, unit: str = "it") -> None:
        self._label = label
        self._unit = unit
        self._bar: tqdm | None = None
        self._shown = on_terminal()

    def __call__(self, done: int, total: int) -> None:
        if not self._shown:
            return
        if self._bar is None:
            self._bar = terminal_bar(self._label, total, unit=self._unit)
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.refresh()

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """In the block something else is printed: the bar is not in its way."""
        if self._bar is not None:
            self._bar.clear()
        yield
        if self._bar is not None:
            sys.stdout.flush()
            self._bar.refresh()

    def close(self) -> None:
        """Remove it."""
        if self._bar is not None:
            self._bar.close()


@contextlib.contextmanager
def progress_bar(label: str, unit: str = "it") -> Iterator[ProgressBar]:
    """A bar that is removed at the end of the block."""
    bar = ProgressBar(label, unit)
    try:
        yield bar
    finally:
        bar.close()


def on_terminal() -> bool:
    """Whether standard error is a terminal that can draw over a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def terminal_bar(label: str, total: int, kind: type[Any] | None = None, **options: Any) -> tqdm:
    """A bar of tqdm's on standard error, or of a class of ours that is one."""
    from tqdm import tqdm

    made = kind or tqdm
    # Neither a thread that watches it, nor a lock between processes: there is one.
    made.monitor_interval = 0
    made.set_lock(threading.RLock())
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError, AttributeError):  # it may be an object of a test or a notebook
        known = False
    return made(
        desc=label,
        total=total or None,
        file=sys.stderr,
        leave=False,
        dynamic_ncols=known,
        ncols=None if known else _COLUMNS,
        nrows=None if known else _ROWS,
        mininterval=_EVERY,
        miniters=1,
        **options,
    )
