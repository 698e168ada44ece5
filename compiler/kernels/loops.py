"""Loops over axes of constant extents."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

from ir import expr as e

from .builder import KernelBuilder
from .index import Affine, Base, variable
from .nodes import Kind


@contextlib.contextmanager
def loops(builder: KernelBuilder, counts: Sequence[int]) -> Iterator[dict[int, Affine]]:
    """Nested loops over taps; gives the number of the tap along every axis that has some."""
    kind = Kind.UNROLLED if math.prod(counts) <= builder.unrolled else Kind.SERIAL
    with contextlib.ExitStack() as stack:
        found = {}
        for axis, count in enumerate(counts):
            if count != 1:
                loop = builder.loop(e.const(count), kind=kind, stem="t", hint=f"tap{axis}")
                found[axis] = variable(Base(stack.enter_context(loop)))
        yield found
