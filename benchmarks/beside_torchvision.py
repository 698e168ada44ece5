"""Timed in turn with torchvision's ops, in one process: what such benchmarks share."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar


class Named(Protocol):
    """A case, which ``--only`` chooses."""

    @property
    def name(self) -> str: ...


Case = TypeVar("Case", bound=Named)
Row = TypeVar("Row")
"""A data class of what was measured."""

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


def table(
    options: argparse.Namespace,
    head: str,
    cases: Iterable[Case],
    rows: Callable[[Case, bool], Iterable[Row]],
    line: Callable[[Case, Row], str],
) -> list[Row]:
    """Measure the cases that are asked for and print a line for each row, as they come; write the
    numbers, if a file for them is named.

    Args:
        rows: of a case; told whether torchvision is there to compare with.
    """
    if reason := missing():
        print(f"torchvision is not there: {reason}")
    print(f"milliseconds ({options.clock} time), threads: {options.threads}")
    print(f"{head}\n{'-' * len(head)}")
    found = []
    for case in cases:
        if options.only in case.name:
            for row in rows(case, not reason):
                print(line(case, row), flush=True)
                found.append(row)
    if options.json:
        record = {
            "threads": options.threads,
            "clock": options.clock,
            "rows": [asdict(row) for row in found],
        }
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return found


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
