"""How much backward computes again, so that less has to be kept for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """What passes go to, for less memory.

    Attributes:
        large: what is little work, and takes at most so many operands as large as itself, is
            computed again (:mod:`compiler.passes.recompute`); 0: nothing that need not be.
        light: of that, only what kernels that run anyway make of operands that they read anyway.
        segments: into so many the layers are cut (:mod:`compiler.passes.checkpoint`).
        again: of so many of them, from the first on, backward finds the ends alone.
    """

    large: int = 0
    light: bool = False
    segments: int = 1
    again: int = 0


NO_EFFORT = Effort()
LIGHT = Effort(2, light=True)
SUMS = Effort(2)

UNASKED = (LIGHT, SUMS)
"""What is gone to without being asked, where it costs next to nothing: the least work first."""

EFFORTS = (
    NO_EFFORT,
    LIGHT,
    SUMS,
    Effort(4),
    *(Effort(4, segments=16, again=again) for again in (4, 11)),
    *(Effort(4, segments=segments, again=segments - 1) for segments in (6, 8, 16, 48, 32)),
)
"""From the least work to the most. Fewer segments keep less between them, and need more for one."""
