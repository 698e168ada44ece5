"""Images of bytes resized as OpenCV does it, bit by bit.

opencv/opencv: modules/imgproc/src/resize.cpp (INTER_LINEAR of CV_8U): weights are whole numbers of
2048ths, rows are first resized along their columns, and what falls off is cut where OpenCV cuts it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.build import Builder
from ir.expr import Expr
from ir.graph import Value
from ir.ops.gather import Gather
from ir.types import F32, I32

_WHOLE = 2048
"""The weight of one."""


def resized_bytes(b: Builder, x: Value, size: Sequence[int]) -> Value:
    """(1, C, H, W) whole numbers from 0 to 255 as (1, C, *size).

    Halving both sides takes the mean of four, rounded: INTER_LINEAR is INTER_AREA there.
    """
    _, channels, height, width = x.shape
    rows, columns = size
    if height == 2 * rows and width == 2 * columns:
        parts = b.reshape(x, (channels, rows, 2, columns, 2))
        total = b.sum(parts, (2, 4))
        return b.reshape(b.map((e.arg(0, I32) + 2) // 4, total), (1, channels, rows, columns))
    columns_first = b.transpose(b.reshape(x, (channels * height, width)), (1, 0))
    across = _Taps(b, width, columns, ends_alone=True)
    near, far = (b.emit(Gather(), columns_first, rows) for rows in across.places)
    mixed = e.arg(0, I32) * e.arg(2, I32) + e.arg(1, I32) * e.arg(3, I32)
    wide = b.map(mixed, near, far, *across.weights)
    wide = b.transpose(b.reshape(wide, (columns, channels, height)), (2, 1, 0))
    wide = b.reshape(wide, (height, channels * columns))
    down = _Taps(b, height, rows, ends_alone=False)
    near, far = (b.emit(Gather(), wide, places) for places in down.places)
    kept = [(e.arg(i, I32) // 16) * e.arg(2 + i, I32) // 65536 for i in (0, 1)]
    high = b.map((kept[0] + kept[1] + 2) // 4, near, far, *down.weights)
    shaped = b.transpose(b.reshape(high, (rows, channels, columns)), (1, 0, 2))
    return b.reshape(shaped, (1, channels, rows, columns))


class _Taps:
    """Which two of ``extent`` elements each of ``wanted`` is between, and their weights.

    Attributes:
        places: two of i32[wanted]. weights: two of i32[wanted, 1].
    """

    def __init__(self, b: Builder, extent: int, wanted: int, *, ends_alone: bool) -> None:
        last = e.dyn(extent - 1)
        twice = (2 * e.index(0) + 1) * e.dyn(extent) - e.dyn(wanted)
        place = e.to_float(twice) / e.dyn(2 * wanted, F32)
        low = e.to_int(e.unary("floor", place))
        share = place - e.unary("floor", place)
        if ends_alone:
            share = e.where((low < 0) | (low >= last), 0.0, share)
        self.places = b.maps([_within(low, last), _within(low + 1, last)], shape=(wanted,))
        weights = [_rounded((1.0 - share) * _WHOLE), _rounded(share * _WHOLE)]
        self.weights = [b.reshape(w, (wanted, 1)) for w in b.maps(weights, shape=(wanted,))]


def _within(place: Expr, last: Expr) -> Expr:
    return e.minimum(e.maximum(place, 0), last)


def _rounded(a: Expr) -> Expr:
    """To the nearest whole number, of two the even one."""
    whole = e.unary("floor", a)
    left, number = a - whole, e.to_int(whole)
    up = (left > 0.5) | (e.equal(left, 0.5) & e.equal(number % 2, 1))
    return e.where(up, number + 1, number)
