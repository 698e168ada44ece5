"""Pad: constant values around a blob (Synopsys' Caffe, after TensorFlow)."""

from __future__ import annotations

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Pad", param="pad_param", fork="Synopsys")
def lower_pad(ctx: LayerContext) -> Value:
    """Extends every axis by two numbers of ``paddings``: before it and behind it.

    synopsys-caffe: src/caffe/layers/pad_layer.cpp.
    """
    p, rank = ctx.param, ctx.x.type.rank
    given = p.paddings
    ctx.check(
        len(given) == 2 * rank,
        f"{len(given)} paddings for a blob with {rank} axes",
        "paddings",
        f"give {2 * rank}: before and behind, axis by axis",
    )
    return ctx.b.pad(ctx.x, given[::2], given[1::2], p.constant_values)
