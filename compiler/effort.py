"""How much backward computes again, so that less has to be kept for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """What passes go to, for less memory.

    Attributes:
        large: what is little work, and takes at most so many operands as large as itself, is
            computed again (:mod:`compiler.passes.recompute`); 0: nothing that need not be.
        segments: into so many the layers are cut (:mod:`compiler.passes.checkpoint`).
        again: of so many of them, from the first on, backward finds the ends alone.
    """

    large: int = 0
    segments: int = 1
    again: int = 0


NO_EFFORT = Effort()

EFFORTS = (
    NO_EFFORT,
    Effort(1),
    Effort(4),
    *(Effort(4, 16, again) for again in (4, 11)),
    *(Effort(4, segments, segments - 1) for segments in (6, 8, 16, 48, 32)),
)
"""From the least work to the most. Fewer segments keep less between them, and need more for one."""
