"""What a rank did when: passes, and the buckets of gradients that travel meanwhile.

It is written as Chrome's trace events, which Perfetto and chrome://tracing draw.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from .buckets import Bucket

_PASS, _TRAVELS = 0, 1
"""Threads of the picture: what is computed, and what travels."""


class Timeline:
    """Of one rank, over some iterations.

    Args:
        rank: which.
        iterations: after so many nothing is noted any more.
    """

    def __init__(self, rank: int, iterations: int) -> None:
        self.rank = rank
        self._left = iterations
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []
        self._passed: float | None = None
        self._waits: float | None = None
        for thread, name in ((_PASS, "passes"), (_TRAVELS, "gradients of all ranks")):
            self._add("M", "thread_name", thread, args={"name": name})
        self._add("M", "process_name", _PASS, args={"name": f"rank {rank}"})

    def begin_pass(self) -> None:
        """A pass begins."""
        self._passed = time.monotonic() if self._left > 0 else None

    def bucket(self, bucket: Bucket) -> Callable[[], None] | None:
        """A bucket is on its way; the result is called when it has arrived."""
        if self._left <= 0:
            return None
        begun = time.monotonic()
        name = f"{bucket.names[0]} to {bucket.names[-1]}"
        if len(bucket.names) == 1:
            name = bucket.names[0]

        def done() -> None:
            self._slice(name, _TRAVELS, begun, time.monotonic(), {"bytes": bucket.nbytes})

        return done

    def end_pass(self) -> None:
        """Backward has ended; what is left is to wait."""
        if self._passed is None:
            return
        self._waits = time.monotonic()
        self._slice("forward and backward", _PASS, self._passed, self._waits)
        self._passed = None

    def end_reduction(self) -> None:
        """All buckets have arrived: an iteration's update follows."""
        if self._waits is None:
            return
        self._slice("waits for gradients", _PASS, self._waits, time.monotonic())
        self._waits = None
        self._left -= 1

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that was noted, in microseconds of this machine's monotonic clock."""
        with self._lock:
            return list(self._events)

    def _slice(
        self,
        name: str,
        thread: int,
        begin: float,
        end: float,
        told: dict[str, Any] | None = None,
    ) -> None:
        self._add("X", name, thread, ts=begin * 1e6, dur=(end - begin) * 1e6, args=told or {})

    def _add(self, kind: str, name: str, thread: int, **more: Any) -> None:
        with self._lock:
            self._events.append({"ph": kind, "name": name, "pid": self.rank, "tid": thread, **more})


def write_timeline(file: TextIO, events: list[dict[str, Any]]) -> None:
    """Write the events of all ranks."""
    json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file, indent=0)
