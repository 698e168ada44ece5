"""Signals from the first moment of a command to its last.

Python's own answers would be a traceback for SIGINT while modules are imported, and an end without
any clean-up for SIGTERM and SIGHUP. Here signals are held back until it is known which command
runs; then they end it, with everything removed that is half made, or wait for the training loop.
What the parent has ignored (nohup, a job in the background of a script) stays ignored, but for a
training, which heeds it as Caffe does.
"""

from __future__ import annotations

import atexit
import os

TYPE_CHECKING = False  # what typing and signal import takes longer than all before it
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import Any
else:
    import _signal as signal

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_before: dict[int, Any] = {}
_pending: list[int] = []


def hold_signals() -> bool:
    """Only note the signals that arrive from now on; returns whether this call began that."""
    if _before:
        return False
    for number in _HELD:
        try:
            _before[number] = signal.signal(number, _note)
        except ValueError:  # not in the main thread
            return False
    # Whoever starts ranks blocks signals until they can be answered.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    return True


def _is_ignored(number: int) -> bool:
    """Whether the parent has ignored a signal."""
    return _before.get(number) is signal.SIG_IGN


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
        signal.signal(number, signal.SIG_IGN if _is_ignored(number) else _end)
    for number in held_signals():
        if not _is_ignored(number):
            _end(number, None)


def _end(number: int, frame: FrameType | None) -> None:
    from signal import Signals

    from ir.errors import StoppedBySignal

    name = Signals(number).name
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
    """All is done: a signal that comes while the interpreter ends changes nothing any more.

    While threads are waited for it ends the process at once, with this code.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        os._exit(code)

    for number in _HELD:
        if not _is_ignored(number) and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
    # At its very end Python puts back the system's answers to signals, but for those it ignores.
    for number in _HELD:
        atexit.register(signal.signal, number, signal.SIG_IGN)
