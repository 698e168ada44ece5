"""What is told of iterations while a device is still computing them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

LAG = 32
"""Iterations whose numbers may be outstanding: a GPU never waits for a log line."""


class Reports:
    """Calls that read results, in order, up to ``lag`` of them late."""

    def __init__(self, lag: int) -> None:
        self._lag = lag
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, tell: Callable[[], None]) -> None:
        """``tell`` reads numbers and passes them on: now where ``lag`` is 0."""
        self._waiting.append(tell)
        while len(self._waiting) > self._lag:
            self._waiting.popleft()()

    def settle(self) -> None:
        """Tell everything."""
        while self._waiting:
            self._waiting.popleft()()
