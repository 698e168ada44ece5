"""LstmSimple: MyCaffe's LSTM over rows of a batch that is given."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.graph import Value
from ir.types import TensorType

from ..context import LayerContext
from ..lstm_blobs import FIELDS, clip_of, count_behind, lstm_blobs
from ..lstm_steps import lstm_steps, projected
from ..registry import layer

MESSAGE = declare_message(
    "LSTMSimpleParameter", *FIELDS, optional("uint32", "batch_size", default=1)
)


@layer(
    "LstmSimple",
    param="lstm_simple_param",
    message=MESSAGE,
    bottoms=(1, 2),
    no_gradient_to=(1,),
    fork="MyCaffe",
    note="With a batch_size above 1 the marks are those of steps and streams, in the order of the "
    "input; MyCaffe reads that of stream n in step t at t + n. The gradient of the weights of the "
    "state is that of what is computed: MyCaffe leaves out the marks.",
)
def lower_lstm_simple(ctx: LayerContext) -> Value:
    """[T * N, ...] -> [T * N, H], N being ``batch_size``: the rows of one step lie together.

    The second bottom is 0 where a sequence begins, [T * N]; with it the state is kept from batch
    to batch, without it each batch begins anew. ``clipping_threshold``, where above 0, bounds the
    diff of the gates. Blobs: (4 H, I), (4 H, H), (4 H); gates i, f, o, g.
    MyCaffe: MyCaffe/layers/LSTMSimpleLayer.cs, CudaDnnDLL/Cuda Files/math.cu.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    ctx.check(p.batch_size > 0, "batch_size is 0", "batch_size")
    ctx.check(
        x.type.rank >= 1 and x.shape[0] > 0 and x.shape[0] % p.batch_size == 0,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; the first extent must be a multiple "
        f"of batch_size {p.batch_size}",
        "batch_size",
    )
    streams, rows = p.batch_size, int(x.shape[0])
    steps, inner = rows // streams, count_behind(ctx, 1)
    blobs = lstm_blobs(ctx, inner)
    inputs = projected(b, b.reshape(x, (steps, streams, inner)), blobs.weights, blobs.bias)
    state = (streams, p.num_output)
    if len(ctx.bottoms) == 1:
        zero = b.fill(0.0, state)
        made = lstm_steps(
            b, ctx.name, inputs, blobs.recurrent, (zero, zero), limit=p.clipping_threshold
        )
        return b.reshape(made.h, (rows, p.num_output))
    h, c = (ctx.state(name, TensorType(state)) for name in "hc")
    made = lstm_steps(
        b,
        ctx.name,
        inputs,
        blobs.recurrent,
        (h, c),
        clip_of(ctx, steps, streams),
        limit=p.clipping_threshold,
    )
    ctx.write(h, made.last_h)
    ctx.write(c, made.last_c)
    return b.reshape(made.h, (rows, p.num_output))
