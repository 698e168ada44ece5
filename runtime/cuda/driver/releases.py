"""Giving back what a driver gave, later where it must not be now."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

Release = Callable[[], None]


class Releases:
    """Calls that free memory or destroy handles: at once, but not in a thread that is capturing.

    There the driver refuses them, and what was captured is lost. Python may find garbage at any
    time, so they wait until the capture is over.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, list[Release]] = {}  # by thread that captures

    def add(self, call: Release) -> None:
        waiting = self._waiting.get(threading.get_ident())
        if waiting is None:
            call()
        else:
            waiting.append(call)

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
                with contextlib.suppress(Exception):  # as in Released
                    call()
