"""Timed in turn with torchvision's ops, in one process: what such benchmarks share."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CLOCKS = {"wall": time.perf_counter, "thread": time.thread_time}


def asked(description: str | None) -> argparse.Namespace:
    """The options of a command."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1, help="of all (default: 1)")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (default: 9)")
    parser.add_argument("--seconds", type=float, default=0.2, help="of a turn (default: 0.2)")
    parser.add_argument("--clock", choices=CLOCKS, default="wall",
                        help="thread: what the processor did for one thread")  # fmt: skip
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers too")
    options = parser.parse_args()
    if options.clock == "thread" and options.threads > 1:
        parser.error("--clock thread sees one thread")
    return options


def missing() -> str:
    """Why torchvision is not there; empty where it is."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:  # its library does not fit PyTorch's
        return str(error).partition("\n")[0]
    return ""


def medians(runs: Sequence[Callable[[], Any]], options: argparse.Namespace) -> list[float]:
    """Milliseconds of each, who take turns."""
    clock = CLOCKS[options.clock]
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(options.rounds):
        for run, found in zip(runs, times, strict=True):
            run()  # the others had the caches
            began = last = clock()
            while last - began < options.seconds or last == began:
                start = last
                run()
                last = clock()
                found.append((last - start) * 1e3)
    return [statistics.median(found) for found in times]
