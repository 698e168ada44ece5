"""ContinuationIndicator: the marks of a recurrent layer whose sequences all begin at once."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "ContinuationIndicatorParameter",
    optional("uint32", "time_step", default=0),
    optional("int32", "axis", default=0),
)


@layer(
    "ContinuationIndicator",
    param="continuation_indicator_param",
    message=MESSAGE,
    no_gradient_to=(0,),
    fork="jolibrain",
)
def lower_continuation_indicator(ctx: LayerContext) -> Value:
    """[time_step, N]: 0 in the first step, 1 in all others; N is the bottom's extent on ``axis``.

    jolibrain/caffe: src/caffe/layers/continuation_indicator_layer.cpp.
    """
    p = ctx.param
    ctx.check(p.time_step > 0, "time_step is missing or 0", "time_step", "give the number of steps")
    streams = ctx.x.shape[ctx.axis(p.axis)]
    return ctx.b.map(e.where(e.index(0) > 0, 1.0, 0.0), shape=(p.time_step, streams))
