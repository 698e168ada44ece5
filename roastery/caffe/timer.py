"""A stopwatch. Caffe: include/caffe/util/benchmark.hpp."""

from __future__ import annotations

import time


class Timer:
    """``start()``, ``stop()``, then ``ms``: the milliseconds between."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._seconds = 0.0

    def start(self) -> None:
        self._started = time.perf_counter()

    def stop(self) -> None:
        if self._started is not None:
            self._seconds = time.perf_counter() - self._started
            self._started = None

    @property
    def ms(self) -> float:
        """Milliseconds; of a timer that still runs, until now (which stops it)."""
        self.stop()
        return self._seconds * 1000.0
