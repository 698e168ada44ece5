"""Giving back what a driver gave, later where it must not be now."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

Release = Callable[[], None]


class Releases:
    """Calls that free memory or destroy handles: at once, but not in a thread that is capturing,
    nor in one that has no context.

    In the first the driver refuses them, and what was captured is lost. Python may find garbage at
    any time, so they wait until the capture is over. The others wait until some thread has a
    context, for :meth:`catch_up`.

    Args:
        lacks_context: whether an error says that the thread has none.
    """

    def __init__(self, lacks_context: Callable[[Exception], bool]) -> None:
        self._lacks_context = lacks_context
        self._waiting: dict[int, list[Release]] = {}  # by thread that captures
        self._refused: deque[Release] = deque()

    def add(self, call: Release) -> None:
        waiting = self._waiting.get(threading.get_ident())
        if waiting is None:
            self._attempt(call)
        else:
            waiting.append(call)

    def catch_up(self) -> None:
        """Release what threads without a context could not; this one has one."""
        if threading.get_ident() in self._waiting:
            return
        for _ in range(len(self._refused)):
            try:
                call = self._refused.popleft()
            except IndexError:  # another thread was faster
                return
            with contextlib.suppress(Exception):  # as in Released
                self._attempt(call)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside of it this thread releases nothing; afterwards all of it."""
        thread = threading.get_ident()
        waiting = self._waiting[thread] = []
        try:
            yield
        finally:
            del self._waiting[thread]
            for call in waiting:
                with contextlib.suppress(Exception):
                    self._attempt(call)

    def _attempt(self, call: Release) -> None:
        try:
            call()
        except Exception as error:
            if not self._lacks_context(error):
                raise
            self._refused.append(call)
