"""Sums of windows along what lies in the lanes of vectors.

A window over the channels, where memory holds them in blocks that are vectors, reaches into the
blocks before and behind. These are read (or computed) as a whole, and each tap is a vector of lanes
of two of them.
"""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from ..emitter import Access, Emitter, zero
from ..expressions import axes_of
from ..monomial import Monomial


def shifted_sum(
    emitter: Emitter, x: Value, at: Access, axis: int, window: int, low: int, lanes: int
) -> Expr:
    """The sum of ``window`` elements of ``x`` along an axis, from ``low`` before ``at`` on."""
    builder = emitter.builder
    index, size = at.coordinates[axis], builder.extent(x.shape[axis], "from")
    alike = tuple(c for c in at.guard if not axes_of(c))
    partly = size.constant is None or size.constant % lanes != 0
    blocks: dict[int, Expr] = {}
    for step in (-1, 0, 1):
        if (step < 0 and low == 0) or (step > 0 and low == window - 1):
            continue
        place = index.shifted(Monomial.of(step * lanes))
        conditions = emitter.inside(place, step < 0, size if step > 0 or partly else None)
        access = Access(at.coordinates, at.extents, alike).moved(axis, place, size)
        value = emitter.emit(x, access.guarded(*conditions))
        blocks[step] = emitter.chosen(conditions, value, zero(x.type.dtype))
    total = zero(x.type.dtype)
    for shift in range(-low, window - low):
        part = blocks[0]
        if shift:
            pair = (blocks[-1], blocks[0]) if shift < 0 else (blocks[0], blocks[1])
            part = builder.let(e.node("shifted", pair, shift % lanes, total.dtype), "v", "near")
        total = builder.let(total + part, "v")
    return total
