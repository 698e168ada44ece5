"""Signals from the first moment of a command to its last.

Python's own answers would be a traceback for SIGINT while modules are imported, and an end without
any clean-up for SIGTERM and SIGHUP. Here signals are held back until it is known which command
runs; then they end it, with everything removed that is half made, or wait for the training loop.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_before: dict[int, Any] = {}
_pending: list[int] = []


def hold_signals() -> bool:
    """Only note the signals that arrive from now on; returns whether this call began that."""
    if _before or threading.current_thread() is not threading.main_thread():
        return False
    for number in _HELD:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a job in the background
            _before[number] = signal.signal(number, _note)
    return True


def _note(number: int, frame: FrameType | None) -> None:
    _pending.append(number)


def held_signals() -> list[int]:
    """Those that arrived while they were held back; they are given out once."""
    found = list(_pending)
    _pending.clear()
    return found


def let_signals_end() -> None:
    """From now on signals end the command, by an exception that cleans up on its way.

    Raises it at once for a signal that was held back.
    """
    for number in _before:
        signal.signal(number, _end)
    for number in held_signals():
        _end(number, None)


def _end(number: int, frame: FrameType | None) -> None:
    from ir.errors import StoppedBySignal

    name = signal.Signals(number).name
    raise StoppedBySignal(number, "interrupted" if name == "SIGINT" else f"stopped by {name}")


def note_signals() -> None:
    """Only note them again: the command is over."""
    for number in _before:
        signal.signal(number, _note)


def release_signals() -> None:
    """As it was before; signals that were held back come now."""
    for number, handler in _before.items():
        signal.signal(number, handler)
    _before.clear()
    for number in held_signals():
        os.kill(os.getpid(), number)


def end_with(code: int) -> None:
    """All is done: a signal that comes while the interpreter ends only hastens that."""

    def leave(number: int, frame: FrameType | None) -> None:
        os._exit(code)

    if threading.current_thread() is threading.main_thread():
        for number in _HELD:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, leave)
