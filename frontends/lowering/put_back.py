"""Elements of an image put where a mask says that pooling took them from."""

from __future__ import annotations

from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.ops.gather import ScatterAdd, ScatterLast
from ir.ops.window import WindowScatter
from ir.types import I32


def places_in(b: Builder, mask: Value, extents: tuple[int, int]) -> Value:
    """The places that a mask (N, C, H, W) names, h * W + w of an image of ``extents``, as i32;
    -1 for those that are not in it."""
    count = extents[0] * extents[1]
    inside = (e.to_int(e.arg(0)) >= 0) & (e.to_int(e.arg(0)) < e.dyn(count))
    return b.map(e.where(inside, e.to_int(e.arg(0)), -1), mask)


def put_back(
    b: Builder, x: Value, place: Value, extents: tuple[int, int], scales: tuple[int, int]
) -> Value:
    """Every element of x (N, C, H, W) at its place in an image of ``extents``, zeros elsewhere; of
    several at one place the last stands there, and each gets the gradient of it.

    A plane of which every place is in its own window, as pooling without overlap leaves it, has
    no place twice, and takes what such windows take. Of others every element is looked at.

    Args:
        place: i32, as :func:`places_in` gives them.
        scales: how far apart the windows may have been that were pooled.
    """
    height, width = extents
    n, c, h, w = x.shape
    count = height * width
    spot = e.arg(0, I32)
    own = [
        e.equal(spot // e.dyn(width) // scales[0], e.index(2)),
        e.equal(spot % e.dyn(width) // scales[1], e.index(3)),
    ]
    stray = e.where((spot < 0) | (own[0] & own[1]), 0, 1)
    spare = [d * s - extent for d, s, extent in zip((h, w), scales, extents, strict=True)]
    windowed = all(0 <= over < s for over, s in zip(spare, scales, strict=True))
    strays = b.reduce("max", b.map(stray if windowed else e.const(1), place), (2, 3))
    many = b.map(spot * e.dyn(h * w), b.reshape(strays, (n * c,)))
    last = b.emit(
        ScatterLast(count), b.reshape(x, (n * c, h * w)), b.reshape(place, (n * c, h * w)), many
    )
    last = b.reshape(last, (n, c, *extents))
    if windowed:
        window = (1, 1, *scales)
        kind = WindowScatter(window, window, (0,) * 4, (0, 0, *spare), (n, c, *extents), 2)
        # It takes any place when it goes back: every element gets the gradient of its own.
        near = b.emit(kind, x, place)
        chosen = e.where(e.arg(2, I32) > 0, e.arg(0), e.arg(1))
        return b.map(e.grad_as(chosen, e.arg(1)), last, near, strays)
    # A sum that is never computed: only its gradient is used.
    row = e.where(spot >= 0, spot + (e.index(0) * e.dyn(c) + e.index(1)) * e.dyn(count), -1)
    numbers = b.reshape(b.map(row, place), (x.type.size,))
    total = b.emit(ScatterAdd(n * c * count), b.reshape(x, (x.type.size, 1)), numbers)
    return b.map(e.grad_as(e.arg(0), e.arg(1)), last, b.reshape(total, last.shape))
