"""What a rank did when: passes, and the buckets of gradients that travel meanwhile.

It is written as Chrome's trace events, which Perfetto and chrome://tracing draw.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, Any

from .buckets import Bucket

TraceEvent = dict[str, Any]
"""https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU, "Event
Descriptions"."""

FORWARD, BACKWARD, WAITS = "forward", "backward", "waits for gradients"
"""What a rank computes, and that it waits."""

_PASS, _TRAVELS = 0, 1
"""Threads of the picture: what is computed, and what travels."""


class Timeline:
    """Of one rank, over some iterations; of each it has the last pass.

    Args:
        rank: which.
        iterations: after so many nothing is noted any more.
    """

    def __init__(self, rank: int, iterations: int) -> None:
        self.rank = rank
        self._left = iterations
        self._lock = threading.Lock()
        self._events: list[TraceEvent] = []
        self._doing: str | None = None
        self._since = 0.0
        for thread, name in ((_PASS, "passes"), (_TRAVELS, "gradients of all ranks")):
            self._add("M", "thread_name", thread, args={"name": name})
        self._add("M", "process_name", _PASS, args={"name": f"rank {rank}"})

    @property
    def notes(self) -> bool:
        """Whether there are iterations left to note."""
        return self._left > 0

    def begin_pass(self) -> None:
        """A pass begins. Where nobody says when it does, it begins with backward."""
        self._now(FORWARD if self.notes else None)

    def end_forward(self) -> None:
        """Backward begins."""
        self._now(BACKWARD if self.notes else None)

    def bucket(self, bucket: Bucket) -> Callable[[], None] | None:
        """A bucket is on its way; the result is called when it has arrived."""
        if not self.notes:
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
        self._now(WAITS if self.notes else None)

    def end_reduction(self) -> None:
        """All buckets have arrived: an iteration's update follows."""
        self._now(None)
        self._left = max(self._left - 1, 0)

    @property
    def events(self) -> list[TraceEvent]:
        """All that was noted, in microseconds of this machine's monotonic clock."""
        with self._lock:
            return list(self._events)

    def _now(self, doing: str | None) -> None:
        """What it did until now has ended."""
        now = time.monotonic()
        if self._doing is not None:
            self._slice(self._doing, _PASS, self._since, now)
        self._doing, self._since = doing, now

    def _slice(
        self, name: str, thread: int, begin: float, end: float, told: TraceEvent | None = None
    ) -> None:
        self._add("X", name, thread, ts=begin * 1e6, dur=(end - begin) * 1e6, args=told or {})

    def _add(self, kind: str, name: str, thread: int, **more: Any) -> None:
        with self._lock:
            self._events.append({"ph": kind, "name": name, "pid": self.rank, "tid": thread, **more})


def hidden_share(events: list[TraceEvent], rank: int = 0) -> float:
    """How much of the time in which gradients travelled a rank spent on backward: 1 is all, where
    nothing had to be waited for. NaN: nothing travelled."""
    mine = [event for event in events if event["ph"] == "X" and event["pid"] == rank]
    travels = _together(event for event in mine if event["tid"] == _TRAVELS)
    waits = [event for event in mine if event["name"] == WAITS and event["tid"] == _PASS]
    total = sum(end - begin for begin, end in travels)
    exposed = sum(
        max(0.0, min(end, wait["ts"] + wait["dur"]) - max(begin, wait["ts"]))
        for begin, end in travels
        for wait in waits
    )
    return 1.0 - exposed / total if total else float("nan")


def _together(slices: Iterable[TraceEvent]) -> list[tuple[float, float]]:
    """When something of them lasted: from and until."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted((event["ts"], event["ts"] + event["dur"]) for event in slices):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def write_timeline(file: IO[str], events: list[TraceEvent]) -> None:
    """Write the events of all ranks."""
    json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file, indent=0)
