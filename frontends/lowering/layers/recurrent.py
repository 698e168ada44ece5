"""LSTM and RNN, as loops over their steps.

The projection of the input is one matrix product over all steps; a step is then one product
with the old state and one pointwise op. Caffe: src/caffe/layers/recurrent_layer.cpp,
lstm_layer.cpp and rnn_layer.cpp, which build an unrolled net.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.build import expand
from ir.graph import Value
from ir.loop_builder import LoopBuilder
from ir.ops.loop import StepLoop
from ir.types import TensorType

from ..context import LayerContext
from ..lstm_steps import lstm_steps
from ..registry import layer

_NOTE = (
    "`debug_info` has no effect. The number of steps may change (Caffe: it is fixed when the net "
    "is made). As in Caffe, no gradient flows into a previous batch, nor through the states that "
    "expose_hidden adds."
)


@dataclass(frozen=True)
class _Sequence:
    """What both layers read: extents, the input, and the states before the first step."""

    steps: int
    streams: int
    width: int
    static: Value | None
    starts: tuple[Value, ...]  # each [N, H]
    cells: tuple[Value, ...]  # where the states are kept between batches; none if exposed


@layer(
    "LSTM",
    param="recurrent_param",
    bottoms=(2, 5),
    tops=(1, 3),
    no_gradient_to=(1,),
    note=_NOTE,
)
def lower_lstm(ctx: LayerContext) -> Sequence[Value]:
    """Blobs: W_xc (4H, D), b_c (4H), [W_xc_static (4H, S)], W_hc (4H, H); gates i, f, o, g."""
    q = _read(ctx, ("h", "c"))
    gates = _project(ctx, q, 4 * q.width)
    recurrent = ctx.parameter((4 * q.width, q.width), ctx.param.weight_filler)
    h, c = q.starts
    made = lstm_steps(ctx.b, ctx.layer.name, gates, recurrent, (h, c), _marks(ctx, q))
    return _finish(ctx, q, made.h, (made.last_h, made.last_c))


@layer(
    "RNN",
    param="recurrent_param",
    bottoms=(2, 4),
    tops=(1, 2),
    no_gradient_to=(1,),
    note=_NOTE,
)
def lower_rnn(ctx: LayerContext) -> Sequence[Value]:
    """h = tanh(W_xh x + b_h + W_hh h'), o = tanh(W_ho h + b_o).

    Blobs: W_xh (H, D), b_h, [W_xh_static (H, S)], W_hh, W_ho, b_o.
    """
    b, p = ctx.b, ctx.param
    q = _read(ctx, ("h",))
    projected = _project(ctx, q, q.width)
    recurrent = ctx.parameter((q.width, q.width), p.weight_filler)
    loop = LoopBuilder(b, ctx.layer.name, functools.partial(StepLoop, q.steps))
    now, cont = loop.part(projected), loop.part(_marks(ctx, q))
    (start,) = q.starts
    h, step = loop.carry(start), loop.body
    old = step.matmul(h, loop.fixed(recurrent), transpose_b=True)
    sums = step.map(e.arg(2) * e.arg(0) + e.arg(1), old, now, cont)
    new_h = step.map(e.tanh(e.arg(0)), sums)
    loop.hand_on(h, new_h)
    # All that backward reads is kept of all steps; what it does not read costs nothing.
    loop.stack(new_h)
    loop.stack(sums)
    states = loop.finish()
    weights = ctx.parameter((q.width, q.width), p.weight_filler)
    bias = expand(b, ctx.parameter((q.width,), p.bias_filler), 2, 1)
    rows = b.reshape(states.stacks[new_h], (q.steps * q.streams, q.width))
    out = b.map(e.tanh(e.arg(0) + e.arg(1)), b.matmul(rows, weights, transpose_b=True), bias)
    return _finish(ctx, q, b.reshape(out, (q.steps, q.streams, q.width)), (states.last[h],))


def _read(ctx: LayerContext, names: tuple[str, ...]) -> _Sequence:
    """Check the bottoms and find the states: bottoms under expose_hidden, else cells."""
    p, x = ctx.param, ctx.x
    width = p.num_output
    ctx.check(width > 0, "num_output is missing or 0", "num_output", "give the size of the state")
    exposed = len(names) if p.expose_hidden else 0
    kind, bottoms, tops = ctx.kind.name, len(ctx.bottoms), 1 + exposed
    also = f" with expose_hidden and {exposed} state(s)" if exposed else ""
    ctx.check(
        bottoms - exposed in (2, 3),
        f"{bottoms} bottoms; {kind}{also} takes {2 + exposed} or {3 + exposed} "
        "(x, cont, a static input if there is one, then the states)",
        "bottom",
    )
    ctx.check(
        ctx.top_count == tops,
        f"{ctx.top_count} tops; {kind}{also} makes {tops}",
        "top",
    )
    ctx.check(
        x.type.rank >= 3,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; steps, streams and at least one "
        "more axis are expected",
        "bottom",
    )
    steps, streams = int(x.shape[0]), x.shape[1]  # as many copies of the cell
    ctx.check(steps > 0, f"'{ctx.layer.bottom[0]}' {list(x.shape)} has no time step", "bottom")
    _check_shape(ctx, 1, (steps, streams), "one mark per step and stream")
    static = ctx.bottoms[2] if bottoms - exposed == 3 else None
    if static is not None:
        ctx.check(
            static.type.rank >= 2 and static.shape[0] == streams,
            f"the static input '{ctx.layer.bottom[2]}' has shape {list(static.shape)}; "
            f"[{streams}, ...] is expected: a row per stream",
            "bottom",
            index=2,
        )
    full = (1, streams, width)
    if exposed:
        for number in range(bottoms - exposed, bottoms):
            _check_shape(ctx, number, full, "the state before the first step")
        b, given = ctx.b, ctx.bottoms[bottoms - exposed :]
        starts = [b.map(e.stop(e.arg(0)), v) for v in given]
        cells: list[Value] = []
    else:
        cells = [ctx.state(name, TensorType(full)) for name in names]
        starts = cells
    rows = tuple(ctx.b.reshape(v, (streams, width)) for v in starts)
    return _Sequence(steps, streams, width, static, rows, tuple(cells))


def _check_shape(ctx: LayerContext, number: int, shape: tuple[int, ...], what: str) -> None:
    have = tuple(map(int, ctx.bottoms[number].shape))
    ctx.check(
        have == shape,
        f"'{ctx.layer.bottom[number]}' has shape {list(have)}; {list(shape)} is expected: {what}",
        "bottom",
        index=number,
    )


def _project(ctx: LayerContext, q: _Sequence, width: int) -> Value:
    """W x + b (+ W_static x_static) for all steps at once: [T, N, width]."""
    b, p, x = ctx.b, ctx.param, ctx.x
    inner = math.prod(x.shape[2:])
    weights = ctx.parameter((width, inner), p.weight_filler)
    bias = expand(b, ctx.parameter((width,), p.bias_filler), 3, 2)
    rows = b.reshape(x, (q.steps * q.streams, inner))
    shape = (q.steps, q.streams, width)
    product = b.reshape(b.matmul(rows, weights, transpose_b=True), shape)
    if q.static is None:
        return b.map(e.arg(0) + e.arg(1), product, bias)
    fixed = math.prod(q.static.shape[1:])
    static_weights = ctx.parameter((width, fixed), p.weight_filler)
    static = b.matmul(b.reshape(q.static, (q.streams, fixed)), static_weights, transpose_b=True)
    return b.map(e.arg(0) + e.arg(1) + e.arg(2), product, bias, expand(b, static, 3, 1))


def _marks(ctx: LayerContext, q: _Sequence) -> Value:
    """[T, N, 1]"""
    return ctx.b.reshape(ctx.bottoms[1], (q.steps, q.streams, 1))


def _finish(
    ctx: LayerContext, q: _Sequence, out: Value, last: tuple[Value, ...]
) -> Sequence[Value]:
    """Hand out or keep the states after the last step."""
    b, full = ctx.b, (1, q.streams, q.width)
    if q.cells:
        for cell, state in zip(q.cells, last, strict=True):
            ctx.write(cell, b.reshape(state, full))
        return [out]
    return [out, *(b.map(e.stop(e.arg(0)), b.reshape(v, full)) for v in last)]
