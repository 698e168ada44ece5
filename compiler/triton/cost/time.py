"""How long work takes on a device."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from compiler.target import Target

from .processor import processor_of
from .work import Work

# Fitted to 445 products and 1,100 other launches on an H200, whose processors are an H100's.
LAUNCH = 0.7e-6
"""Seconds from one launch to the next in a captured graph (0.97 us measured, of empty ones)."""
START = 1.05e-6
"""Seconds until the loop of a product has its first tiles."""
STEP = 0.09e-6
"""Seconds that a step of such a loop takes besides, where nobody else has its processor."""
LATENCY = 0.5e-6
"""Seconds until a load has come from memory that others use, too."""
AHEAD = 8
"""Loads of a thread that are asked for together: assemblers unroll short loops so."""
ATTAINED = 0.875
"""Of the memory's bandwidth, what copies reach (4.2 of 4.8 TB/s)."""
SCHEDULERS = 4
"""Instructions of warps that a processor issues in a clock."""
ISSUED = 0.75
"""Of these, what is reached."""
CACHED = 96
"""Bytes that a processor has of the second-level cache in a clock."""
WRITTEN = 20
"""Bytes of results that a processor writes in a clock, between two loops."""
TOGETHER = 3
"""The norm by which what runs beside each other adds up: neither sum nor maximum."""


class BoundBy(Enum):
    """What binds a kernel."""

    TENSOR = "matrix units"
    ARITHMETIC = "multiply-adds"
    ISSUE = "instructions"
    CACHE = "caches"
    MEMORY = "memory"
    LATENCY = "latency"
    LAUNCH = "launch"


@dataclass(frozen=True, slots=True)
class Time:
    """Predicted, in seconds, and what binds."""

    seconds: float
    limit: BoundBy


def time_of(work: Work, target: Target, tensor: bool = True) -> Time:
    """Of a launch. ``tensor``: its products are of matrix units."""
    if not work.programs:
        return Time(0.0, BoundBy.LAUNCH)
    clock = target.clock
    busy = {
        BoundBy.TENSOR if tensor else BoundBy.ARITHMETIC: work.products,
        BoundBy.ISSUE: work.instructions / (SCHEDULERS * ISSUED * clock),
        BoundBy.CACHE: work.cached / (CACHED * clock),
    }
    limit = max(busy, key=busy.__getitem__)
    most = busy[limit]
    alone = work.waits * LATENCY + work.steps * STEP
    written = work.written / (WRITTEN * clock)
    start = START if work.steps else 0.0

    def round_of(programs: int) -> float:
        return start + max(programs * most, most + alone) + programs * written

    held = resident(work, target)
    full, rest = divmod(work.programs, held * target.processors)
    last = -(-rest // target.processors)
    processors = full * round_of(held) + (round_of(last) if last else 0.0)
    if alone > (min(held, -(-work.programs // target.processors)) - 1) * most:
        limit = BoundBy.LATENCY
    memory = work.nbytes / (target.bandwidth * ATTAINED)
    if memory > processors:
        limit = BoundBy.MEMORY
    total = (processors**TOGETHER + memory**TOGETHER) ** (1 / TOGETHER)
    return Time(LAUNCH + total, limit if total > LAUNCH else BoundBy.LAUNCH)


def resident(work: Work, target: Target) -> int:
    """Programs that a processor holds at once."""
    processor = processor_of(target.capability)
    threads = 32 * work.warps
    held = min(
        processor.blocks,
        processor.warps // work.warps,
        processor.registers // (max(work.registers, 16) * threads),
        processor.shared // (work.shared + _RESERVED),
    )
    return max(held, 1)


_RESERVED = 1 << 10  # bytes of shared memory that every block takes besides
