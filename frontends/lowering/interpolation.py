"""Bilinear resizing with corners on corners. PSPNet: src/caffe/util/interp.cpp."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.size import larger, same_size
from ir.types import F32


def interpolated(b: Builder, x: Value, size: Sequence[int]) -> Value:
    """Images (N, C, H, W) as (N, C, *size)."""
    # Rows and columns are independent: two products with narrow matrices of weights. The
    # resized axis has to be the last one.
    for extent in reversed(size):
        n, c, h, w = x.shape
        if not same_size(w, extent):
            rows = b.reshape(x, (n * c * h, w))
            x = b.reshape(b.matmul(rows, _weights(b, w, extent)), (n, c, h, extent))
        x = b.transpose(x, (0, 1, 3, 2))
    return x


def _weights(b: Builder, extent: int, wanted: int) -> Value:
    """[extent, wanted]: how much of each element goes into each resized one; exact fractions."""
    steps = larger(wanted - 1, 1)
    place = e.index(1) * e.dyn(extent - 1)
    left = place // e.dyn(steps)
    share = e.to_float(place % e.dyn(steps)) / e.dyn(steps, F32)
    here = e.equal(e.index(0), left)
    beside = e.equal(e.index(0), left + 1)
    return b.map(e.where(here, 1.0 - share, e.where(beside, share, 0.0)), shape=(extent, wanted))
