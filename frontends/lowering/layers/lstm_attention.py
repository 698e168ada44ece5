"""LstmAttention: MyCaffe's LSTM, without attention."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.types import TensorType

from ..context import LayerContext
from ..lstm_blobs import FIELDS, bias_filler, clip_of, count_behind, lstm_blobs, weight_filler
from ..lstm_steps import LstmSteps, lstm_steps, projected
from ..registry import layer

MESSAGE = declare_message(
    "LSTMAttentionParameter",
    *FIELDS,
    optional("uint32", "num_output_ip", default=0),
    optional("bool", "enable_attention", default=False),
)


@layer(
    "LstmAttention",
    param="lstm_attention_param",
    message=MESSAGE,
    bottoms=(1, 5),
    no_gradient_to=(1,),
    fork="MyCaffe",
    note="`enable_attention` is refused. Steps behind the longest sequence are 0; in MyCaffe they "
    "keep what was there. The gradient of the weights of the state is that of what is computed: "
    "MyCaffe leaves out the marks.",
)
def lower_lstm_attention(ctx: LayerContext) -> Value:
    """[T, N, ...] -> [T, N, H], or with ``num_output_ip`` a product of that: [T, N, num_output_ip].

    The second bottom is 0 where a sequence begins, [T, N]. As many steps run as the longest stream
    has marks, and one where the first mark of all is 0; the state after them is kept from batch to
    batch, and read unless that mark is 0. Without the second bottom each batch begins anew.
    ``clipping_threshold``, where above 0, bounds the diff of the gates. Blobs: (4 H, I), (4 H, H),
    (4 H), [(H, num_output_ip), (1, num_output_ip)]; gates i, f, o, g.
    MyCaffe: MyCaffe.layers.beta/layers.beta/LSTMAttentionLayer.cs.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    ctx.check(
        not p.enable_attention,
        "enable_attention: true is not implemented",
        "enable_attention",
        "without attention the layer runs",
    )
    ctx.check(
        len(ctx.bottoms) <= 2,
        f"{len(ctx.bottoms)} bottoms; without attention the layer takes x, and clip",
        "bottom",
        index=2,
    )
    ctx.check(
        x.type.rank >= 2 and x.shape[0] > 0,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; [steps, streams, ...] is expected",
        "bottom",
    )
    steps, streams = int(x.shape[0]), x.shape[1]
    blobs = lstm_blobs(ctx, count_behind(ctx, 2))
    inputs = projected(b, x, blobs.weights, blobs.bias)
    if len(ctx.bottoms) == 1:
        zero = b.fill(0.0, (streams, p.num_output))
        made = lstm_steps(
            b, ctx.name, inputs, blobs.recurrent, (zero, zero), limit=p.clipping_threshold
        )
        return _product(ctx, made.h)
    marks = clip_of(ctx, steps, streams)
    first = b.slice(b.slice(marks, 0, 0, 1), 1, 0, 1)
    type = TensorType((streams, p.num_output))
    states = [ctx.state(name, type) for name in "hc"]
    # A mark of 0 keeps an old state out; that of stream 0 keeps out those of all streams.
    read = e.where(e.equal(e.to_int(e.arg(1)), 0), 0.0, e.arg(0))
    h, c = (b.map(read, state, b.reshape(first, (1, 1))) for state in states)
    made = lstm_steps(
        b, ctx.name, inputs, blobs.recurrent, (h, c), marks, limit=p.clipping_threshold
    )
    longest = b.reduce("max", b.sum(marks, (0,)), (1,))
    count = e.to_float(e.to_int(e.arg(0))) + e.where(e.equal(e.arg(1), 0.0), 1.0, 0.0)
    runs = b.map(e.minimum(e.maximum(count, 1.0), float(steps)), longest, first)
    _keep_last(ctx, states, made, runs)
    done = e.where(e.to_float(e.index(0)) < e.arg(1), e.arg(0), 0.0)
    return _product(ctx, b.map(done, made.h, runs))


def _keep_last(ctx: LayerContext, states: list[Value], made: LstmSteps, runs: Value) -> None:
    """Write the states after the last step that runs; ``runs``: how many do, [1, 1, 1]."""
    b = ctx.b
    last = e.where(e.equal(e.to_float(e.index(0)), e.arg(1) - 1.0), e.arg(0), 0.0)
    for state, stack in zip(states, (made.h, made.c), strict=True):
        ctx.write(state, b.reshape(b.sum(b.map(last, stack, runs), (0,)), state.shape))


def _product(ctx: LayerContext, h: Value) -> Value:
    """The states, or a product of them."""
    b, outputs = ctx.b, ctx.param.num_output_ip
    if not outputs:
        return h
    steps, streams, width = h.shape
    weights = ctx.parameter((width, outputs), weight_filler(ctx))
    bias = ctx.parameter((1, outputs), bias_filler(ctx))
    product = b.matmul(b.reshape(h, (steps * streams, width)), weights)
    y = b.map(e.arg(0) + e.arg(1), product, bias)
    return b.reshape(y, (steps, streams, outputs))
