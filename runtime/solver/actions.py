"""What a signal asks the solver to do. Caffe: src/caffe/util/signal_handler.cpp."""

from __future__ import annotations

import contextlib
import enum
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from types import FrameType

from ir.errors import StoppedBySignal

_ONE_PRESS = 0.05
"""Seconds within which two signals are one: `timeout` and other parents send theirs twice, to the
process and to its group, and some turn the one that they got into another."""


_CLEAN_UP = 2.0
"""Seconds within which a second signal does not interrupt what the first one began to clean up."""


class Action(enum.Enum):
    NONE = "none"
    STOP = "stop"
    SNAPSHOT = "snapshot"


class ActionRequests:
    """Remembers requests until the solver asks; signals may arrive at any moment.

    A stop request ends the program at once while there is nothing to save: until :meth:`begin`.
    Then the first waits for the solver, and a second ends the program, for a user who cannot wait.
    """

    def __init__(self) -> None:
        self._pending: list[Action] = []
        self._asked: float | None = None  # when the first stop was
        self._early: int | None = None
        self._starting = False
        self._held = False

    def request(self, action: Action, number: int = signal.SIGINT) -> None:
        """Ask for an action, as the signal ``number`` does."""
        if action is Action.STOP and self._starting:
            if self._asked is not None and time.monotonic() - self._asked < _CLEAN_UP:
                return
            self._early, self._asked = number, time.monotonic()
            if not self._held:
                raise self._too_early()
            return
        if action is Action.STOP and self._asked is not None:
            if time.monotonic() - self._asked < _ONE_PRESS:
                return
            raise StoppedBySignal(
                number,
                f"stopped at once by {signal.Signals(number).name}: what was trained since the "
                "last snapshot is lost",
            )
        if action is Action.STOP:
            self._asked = time.monotonic()
        if action is not Action.NONE and action not in self._pending:
            self._pending.append(action)

    def take(self) -> Action:
        """The next request: a stop comes before a snapshot."""
        for action in (Action.STOP, Action.SNAPSHOT):
            if action in self._pending:
                self._pending.remove(action)
                return action
        return Action.NONE

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked for a stop."""
        return self._asked is not None

    def begin(self) -> None:
        """Training begins: from now on a stop request waits for the solver.

        Raises StoppedBySignal if one came before and was lost in code that catches everything.
        """
        self._starting = False
        if self._early is not None:
            raise self._too_early()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While starting up: no signal interrupts the block, but ends the program after it."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._starting and self._early is not None:
            raise self._too_early()

    def _too_early(self) -> StoppedBySignal:
        assert self._early is not None
        name = signal.Signals(self._early).name
        return StoppedBySignal(
            self._early, f"stopped by {name} before the first iteration: nothing was trained"
        )

    @contextlib.contextmanager
    def handling(self, effects: Mapping[int, Action]) -> Iterator[None]:
        """Turn signals into requests inside the block (main thread only), from start-up on."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._starting = True

        def handle(number: int, frame: FrameType | None) -> None:
            self.request(effects[number], number)

        before = {number: signal.signal(number, handle) for number in effects}
        try:
            yield
        finally:
            self._starting = False
            for number, handler in before.items():
                signal.signal(number, handler)
