"""Squeeze: the same elements without axes of extent 1 (Synopsys' Caffe, after TensorFlow)."""

from __future__ import annotations

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Squeeze", param="squeeze_param", shares_data=True, fork="Synopsys")
def lower_squeeze(ctx: LayerContext) -> Value:
    """Drops the axes that ``axis`` names, or all of extent 1.

    synopsys-caffe: src/caffe/layers/squeeze_layer.cpp.
    """
    x = ctx.x
    given = [ctx.axis(axis) for axis in ctx.param.axis]
    for i, axis in enumerate(given):
        ctx.check(
            x.shape[axis] == 1,
            f"axis {axis} has {x.shape[axis]} elements, shape {list(x.shape)}",
            "axis",
            "only axes of one element can go",
            i,
        )
    gone = given or [axis for axis, extent in enumerate(x.shape) if extent == 1]
    return ctx.b.reshape(x, [d for axis, d in enumerate(x.shape) if axis not in gone])
