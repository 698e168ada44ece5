"""Ops that only move elements, of all element types."""

from __future__ import annotations

import math
from dataclasses import replace

from ir.ops.gradient import ClipDiff, DiffAs
from ir.ops.layout import Pack, Unpack
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.size import Size, value_of
from ir.types import BOOL, F32, I32, U32, DType

from .growth import Growth, draws, pattern


def _dtype(g: Growth) -> DType:
    return g.choice(F32, F32, F32, F32, I32, BOOL, U32)


@draws(Reshape)
def draw_reshape(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, 0, dtype=_dtype(g))
    size = math.prod(x.shape)
    if size == 0:
        g.emit(Reshape((*x.shape, 1) if g.flag() else (*x.shape[::-1],)), x)
        return
    shape: list[int] = []
    for _ in range(g.number(0, 3)):
        part = g.choice(*(d for d in range(1, 9) if value_of(size) % d == 0))
        shape.append(part)
        size //= part
    if isinstance(size, Size) or size > 1 or g.flag():
        shape.insert(g.number(0, len(shape)), size)
    g.emit(Reshape(tuple(shape)), x)


@draws(Transpose)
def draw_transpose(g: Growth) -> None:
    x = g.value(4, 3, 2, dtype=_dtype(g))
    order, rest = [], list(range(x.type.rank))
    while rest:
        order.append(rest.pop(g.number(0, len(rest) - 1)))
    g.emit(Transpose(tuple(order)), x)


@draws(Slice)
def draw_slice(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, dtype=_dtype(g))
    axis = g.axis(x.type.rank)
    start = g.number(0, x.shape[axis])
    # Rarely nothing is left.
    most = value_of(x.shape[axis])
    stop = g.number(min(start + (g.number(0, 9) < 9), most), most)
    if stop == most and isinstance(x.shape[axis], Size) and g.flag():
        stop = x.shape[axis]
    g.emit(Slice(axis, start, stop), x)


@draws(DiffAs)
def draw_diff_as(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, 0)
    g.emit(DiffAs(), x, g.value(shape=x.shape))


@draws(ClipDiff)
def draw_clip_diff(g: Growth) -> None:
    g.emit(ClipDiff(g.number(1, 8) / 4.0), g.value(4, 3, 2, 1, 0))


@draws(Concat)
def draw_concat(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, dtype=_dtype(g))
    axis = g.axis(x.type.rank)
    parts = [x]
    for _ in range(g.choice(1, 2, 3, 0)):
        kind = g.number(0, 3)
        if kind == 0:
            parts.append(x)
            continue
        extent = x.shape[axis] if kind == 1 else g.number(0, 3)
        shape = (*x.shape[:axis], extent, *x.shape[axis + 1 :])
        parts.append(g.value(shape=shape, dtype=x.type.dtype))
    g.emit(Concat(axis), *parts)


@draws(Pad)
def draw_pad(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, dtype=_dtype(g))
    low, high = [], []
    for extent in x.shape:
        moved = g.number(0, 1)
        lo = g.choice(0, 1, 2, -1, -2) if moved else 0
        hi = g.choice(0, 1, 2, -1, -2) if moved else 0
        low.append(lo)
        high.append(max(hi, -extent - lo))
    value = g.choice(0.0, 0.25) if x.type.dtype is F32 else 0.0
    g.emit(Pad(tuple(low), tuple(high), value), x)


@draws(Pack)
def draw_pack(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, dtype=_dtype(g))
    (laid,) = g.keep([g.b.copy(x, g.layout(x.type.rank))])
    g.b.emit(Pack(laid.type), laid)


@draws(Unpack)
def draw_unpack(g: Growth) -> None:
    x = g.value(4, 3, 2, dtype=_dtype(g))
    type = replace(x.type, layout=g.layout(x.type.rank))
    g.emit(Unpack(type), g.value(shape=(type.memory_size,), dtype=type.dtype))


@pattern
def laid_out(g: Growth) -> None:
    """What follows reads the same in another order of memory."""
    x = g.value(4, 3, 2, dtype=_dtype(g))
    g.keep([g.b.copy(x, g.layout(x.type.rank))])
