"""Sliding windows taken apart: Im2col and stochastic pooling need every place of a window."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ir.build import Builder
from ir.graph import Value
from ir.ops.window import WindowSum


def window_taps(
    b: Builder,
    x: Value,
    window: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    out: Sequence[int],
) -> list[Value]:
    """One value per place of the window, row-major: what each of the windows has there.

    ``x`` is padded already; windows slide over its last axes, of which every value has the
    extents ``out``.
    """
    lead = x.type.rank - len(window)
    steps = [1] * lead + list(stride)
    taps = []
    for tap in itertools.product(*map(range, window)):
        plane = x
        for axis, (t, d, o, s) in enumerate(zip(tap, dilation, out, stride, strict=True), lead):
            plane = b.slice(plane, axis, t * d, t * d + (o - 1) * s + 1)
        taps.append(_every_nth(b, plane, steps))
    return taps


def _every_nth(b: Builder, x: Value, steps: Sequence[int]) -> Value:
    """Elements 0, step, 2 step ... along every axis; ``x`` must end with one of them."""
    if all(s == 1 for s in steps):
        return x
    none = (0,) * x.type.rank
    # A sum over windows of one element: strided slices need no op of their own.
    return b.emit(WindowSum((1,) * x.type.rank, tuple(steps), none, none), x)
