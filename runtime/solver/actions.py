"""What a signal asks the solver to do. Caffe: src/caffe/util/signal_handler.cpp."""

from __future__ import annotations

import contextlib
import enum
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Action(enum.Enum):
    NONE = "none"
    STOP = "stop"
    SNAPSHOT = "snapshot"


class ActionRequests:
    """Remembers requests until the solver asks; signals may arrive at any moment.

    A second stop request while the first is pending raises KeyboardInterrupt, for a user who
    cannot wait.
    """

    def __init__(self) -> None:
        self._pending: list[Action] = []

    def request(self, action: Action) -> None:
        if action is Action.STOP and Action.STOP in self._pending:
            raise KeyboardInterrupt
        if action is not Action.NONE and action not in self._pending:
            self._pending.append(action)

    def take(self) -> Action:
        """The next request: a stop comes before a snapshot."""
        for action in (Action.STOP, Action.SNAPSHOT):
            if action in self._pending:
                self._pending.remove(action)
                return action
        return Action.NONE

    @contextlib.contextmanager
    def handling(self, sigint: Action, sighup: Action) -> Iterator[None]:
        """Turn SIGINT and SIGHUP into requests inside the block (main thread only)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        effects = {signal.SIGINT: sigint}
        if hasattr(signal, "SIGHUP"):
            effects[signal.SIGHUP] = sighup

        def handle(number: int, frame: FrameType | None) -> None:
            self.request(effects[signal.Signals(number)])

        before = {number: signal.signal(number, handle) for number in effects}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
