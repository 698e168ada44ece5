"""Timed in turn with torchvision's ops, in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def missing() -> str:
    """Why torchvision is not there; empty where it is."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:  # its library does not fit PyTorch's
        return str(error).partition("\n")[0]
    return ""


def medians(
    runs: Sequence[Callable[[], Any]], rounds: int, seconds: float, threads: int
) -> list[float]:
    """Milliseconds of each, who take turns of so many seconds.

    Of one thread those that it had a processor for: what others do meanwhile does not count.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, found in zip(runs, times, strict=True):
            run()  # the others had the caches
            began = last = clock()
            while last - began < seconds or last == began:
                start = last
                run()
                last = clock()
                found.append((last - start) * 1e3)
    return [statistics.median(found) for found in times]
