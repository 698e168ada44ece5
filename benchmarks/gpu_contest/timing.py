"""Times of a pass."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds: of a pass that is waited for (the median), and of one among many with one
    wait at the end."""

    single: float
    queued: float


def timed(
    run: Callable[[], object], wait: Callable[[], None], seconds: float = 3.0, least: int = 10
) -> Times:
    """Of as many passes as take about so long, after some that do not count."""
    for _ in range(4):
        run()
    wait()
    began = time.perf_counter()
    run()
    wait()
    once = max(time.perf_counter() - began, 1e-6)
    count = max(least, min(1000, round(seconds / 2 / once)))
    single = []
    for _ in range(count):
        began = time.perf_counter()
        run()
        wait()
        single.append(time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(count):
        run()
    wait()
    queued = (time.perf_counter() - began) / count
    return Times(1e3 * statistics.median(single), 1e3 * queued)
