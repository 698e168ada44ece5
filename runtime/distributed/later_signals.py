"""Signals that wait until code of others is through.

A handler that raises does so wherever Python is. Where that is beneath C++ that expects no error,
as in the import of torch, the process is aborted.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Such as ask a command to end; not every system has all."""


@contextmanager
def later_signals() -> Iterator[None]:
    """What Python handles of the signals that ask for an end is handled after the block, once
    each."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread only
        return
    came: dict[int, None] = {}
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    handlers = {n: signal.getsignal(n) for n in numbers if callable(signal.getsignal(n))}
    try:
        for number in handlers:
            signal.signal(number, lambda number, frame: came.setdefault(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
