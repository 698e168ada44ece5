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
    optional("uint32", "batch_size", default=0),
)


@layer(
    "ContinuationIndicator",
    param="continuation_indicator_param",
    message=MESSAGE,
    bottoms=(0, 1),
    no_gradient_to=(0,),
    fork="jolibrain",
)
def lower_continuation_indicator(ctx: LayerContext) -> Value:
    """[time_step, N]: 0 in the first step, 1 in all others.

    N is the bottom's extent on ``axis``, or ``batch_size``, which the first form of the layer had,
    without a bottom. jolibrain/caffe: src/caffe/layers/continuation_indicator_layer.cpp;
    xmfbit/warpctc-caffe: examples/warpctc_captcha/lstm_ctc.prototxt.
    """
    p = ctx.param
    ctx.check(p.time_step > 0, "time_step is missing or 0", "time_step", "give the number of steps")
    ctx.check(
        p.batch_size > 0 or bool(ctx.bottoms),
        "neither a bottom nor a batch_size says how many sequences there are",
        "batch_size",
        "name a bottom that has an axis for them, or give batch_size",
    )
    streams = p.batch_size or ctx.x.shape[ctx.axis(p.axis)]
    return ctx.b.map(e.where(e.index(0) > 0, 1.0, 0.0), shape=(p.time_step, streams))
