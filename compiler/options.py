"""What was asked of the compiler: made once at the face, handed down to whatever decides by it."""

from __future__ import annotations

from dataclasses import dataclass

from .target import GENERIC, Target


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What, besides the graph, decides what is compiled.

    Attributes:
        target: the device to compile for.
        precision: of float32 matrix products: ``ieee``, or ``tf32`` (10 bits of mantissa in the
            factors, float32 sums) where the device has units for it.
        passes: names of the passes to run, in order; None: those that suit the target.
        fuel: so many rewrites are made, then no more; None: all.
    """

    target: Target = GENERIC
    precision: str = "ieee"
    passes: tuple[str, ...] | None = None
    fuel: int | None = None
