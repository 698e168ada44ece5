"""What a launch has to do, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """Of one launch: how many programs, and what each of them does.

    Attributes:
        warps, registers, shared: of a program: its warps, the registers of a thread, the bytes of
            shared memory.
        products: seconds for which it has the matrix (or multiply-add) units of a processor.
        instructions: that its warps issue besides.
        cached: bytes that it asks of the caches.
        waits: how often it waits for memory with nothing else to do.
        steps: of the loop that multiplies, whose loads are asked for ahead.
        written: bytes that it writes when that loop is done.
        nbytes: of all programs together, that memory moves.
    """

    programs: int
    warps: int
    registers: int
    shared: int
    products: float = 0.0
    instructions: float = 0.0
    cached: float = 0.0
    waits: float = 0.0
    steps: float = 0.0
    written: float = 0.0
    nbytes: float = 0.0


def work_of_all(works: Sequence[Work]) -> Work:
    """Of a launch whose programs do what those of several would, none of them a product."""
    programs = sum(work.programs for work in works)

    def mean(name: str) -> float:
        total: float = sum(work.programs * getattr(work, name) for work in works)
        return total / max(programs, 1)

    return Work(
        programs,
        max(work.warps for work in works),
        max(work.registers for work in works),
        max(work.shared for work in works),
        instructions=mean("instructions"),
        cached=mean("cached"),
        waits=max(work.waits for work in works),
        nbytes=sum(work.nbytes for work in works),
    )
