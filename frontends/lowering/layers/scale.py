"""Scale and Bias: multiply or shift by a tensor that is repeated over the other axes."""

from __future__ import annotations

from frontends.prototxt.message import Message
from ir import expr as e
from ir.build import expand
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


def _operand_shape(ctx: LayerContext) -> tuple[int, ...]:
    """Shape of the learned tensor: ``num_axes`` extents of the bottom from ``axis`` on."""
    p, x = ctx.param, ctx.x
    axis, count = p.axis, p.num_axes
    ctx.check(count >= -1, f"num_axes is {count}", "num_axes", "it is -1 (all) or more")
    if count == 0:
        return ()
    axis = ctx.axis(axis)
    ctx.check(
        axis + count <= x.type.rank,
        f"axis {axis} and the {count} axes from there go beyond the bottom, {list(x.shape)}",
        "num_axes",
    )
    return x.shape[axis:] if count == -1 else x.shape[axis : axis + count]


def _spread(ctx: LayerContext, small: Value) -> Value:
    """View the operand so that it broadcasts over the bottom."""
    x = ctx.x
    axis = 0 if small.type.rank == 0 else ctx.axis(ctx.param.axis)
    part = x.shape[axis : axis + small.type.rank]
    if part != small.shape:
        raise ctx.error(
            f"the operand has shape {list(small.shape)}; from axis {axis} on the bottom "
            f"has {list(part)}, of {list(x.shape)}",
            "axis" if ctx.param.has("axis") else "bottom",
            "it must match the extents of the first from there on",
            len(ctx.bottoms) - 1,
        )
    return expand(ctx.b, small, x.type.rank, axis)


def _filler(ctx: LayerContext, field: str, default: float) -> Message | float:
    given: Message = ctx.param[field]
    return given if ctx.param.has(field) else default


@layer("Scale", param="scale_param", bottoms=(1, 2), in_place=True, coordinates="kept")
def lower_scale(ctx: LayerContext) -> Value:
    """Product with a learned tensor or the second bottom, plus a learned bias if asked.

    Caffe: src/caffe/layers/scale_layer.cpp.
    """
    learned = len(ctx.bottoms) == 1
    shape = _operand_shape(ctx) if learned else ctx.bottoms[1].shape
    scale = ctx.parameter(shape, _filler(ctx, "filler", 1.0)) if learned else ctx.bottoms[1]
    factor = _spread(ctx, scale)
    product = e.arg(0) * e.arg(1)
    if not ctx.param.bias_term:
        return ctx.b.map(product, ctx.x, factor)
    bias = _spread(ctx, ctx.parameter(shape, _filler(ctx, "bias_filler", 0.0)))
    return ctx.b.map(product + e.arg(2), ctx.x, factor, bias)


@layer("Bias", param="bias_param", bottoms=(1, 2), in_place=True, coordinates="kept")
def lower_bias(ctx: LayerContext) -> Value:
    """Sum with a learned tensor or the second bottom. Caffe: src/caffe/layers/bias_layer.cpp."""
    if len(ctx.bottoms) == 1:
        bias = ctx.parameter(_operand_shape(ctx), _filler(ctx, "filler", 0.0))
    else:
        bias = ctx.bottoms[1]
    return ctx.b.map(e.arg(0) + e.arg(1), ctx.x, _spread(ctx, bias))
