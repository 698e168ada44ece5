"""LSTM and RNN, as loops over their steps.

The projection of the input is one matrix product over all steps; a step is then one product
with the old state and one pointwise op. Caffe: src/caffe/layers/recurrent_layer.cpp,
lstm_layer.cpp and rnn_layer.cpp, which build an unrolled net. MyCaffe's LSTM with
``engine: CUDNN`` is in a file of its own.
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
from ..cudnn_lstm import lower_cudnn_lstm
from ..lstm_steps import lstm_steps
from ..recurrent_inputs import (
    as_given,
    check_counts,
    check_shape,
    exposes,
    read_marks,
    steps_first,
)
from ..registry import layer

_FORK_FIELDS = (
    "engine",
    "dropout_ratio",
    "num_layers",
    "batch_first",
    "expose_hidden_input",
    "expose_hidden_output",
)
"""MyCaffe's. MyCaffe: MyCaffe/layers/RecurrentLayer.cs."""

_NOTE = (
    "`debug_info` has no effect. The number of steps may change (Caffe: it is fixed when the net "
    "is made). As in Caffe, no gradient flows into a previous batch, nor through the states that "
    "expose_hidden adds. In an LSTM with MyCaffe's `engine: CUDNN` it flows through the latter; "
    "and a batch whose first mark is 0 begins with 0, in MyCaffe with what the last one began with."
)


@dataclass(frozen=True)
class _Sequence:
    """What both layers read: extents, the input [T, N, ...], the marks [T, N, 1], and the states
    before the first step."""

    x: Value
    marks: Value
    steps: int
    streams: int
    width: int
    static: Value | None
    starts: tuple[Value, ...]  # each [N, H]
    cells: tuple[Value, ...]  # where the states are kept between batches; none if they are given


@layer(
    "LSTM",
    param="recurrent_param",
    bottoms=(2, 5),
    tops=(1, 3),
    no_gradient_to=(1,),
    note=_NOTE,
    fork_fields=_FORK_FIELDS,
)
def lower_lstm(ctx: LayerContext) -> Sequence[Value]:
    """Blobs: W_xc (4H, D), b_c (4H), [W_xc_static (4H, S)], W_hc (4H, H); gates i, f, o, g.

    With MyCaffe's ``engine: CUDNN``: :func:`lower_cudnn_lstm`.
    """
    if ctx.param.engine == "CUDNN":
        return lower_cudnn_lstm(ctx)
    q = _read(ctx, ("h", "c"))
    gates = _project(ctx, q, 4 * q.width)
    recurrent = ctx.parameter((4 * q.width, q.width), ctx.param.weight_filler)
    h, c = q.starts
    made = lstm_steps(ctx.b, ctx.layer.name, gates, recurrent, (h, c), q.marks)
    return _finish(ctx, q, made.h, (made.last_h, made.last_c))


@layer(
    "RNN",
    param="recurrent_param",
    bottoms=(2, 4),
    tops=(1, 2),
    no_gradient_to=(1,),
    note=_NOTE,
    fork_fields=_FORK_FIELDS,
)
def lower_rnn(ctx: LayerContext) -> Sequence[Value]:
    """h = tanh(W_xh x + b_h + W_hh h'), o = tanh(W_ho h + b_o).

    Blobs: W_xh (H, D), b_h, [W_xh_static (H, S)], W_hh, W_ho, b_o.
    """
    b, p = ctx.b, ctx.param
    ctx.check(
        p.engine != "CUDNN",
        "engine: CUDNN is another layer, which rectifies its states",
        "engine",
        "without it the layer is Caffe's",
    )
    q = _read(ctx, ("h",))
    projected = _project(ctx, q, q.width)
    recurrent = ctx.parameter((q.width, q.width), p.weight_filler)
    loop = LoopBuilder(b, ctx.layer.name, functools.partial(StepLoop, q.steps))
    now, cont = loop.part(projected), loop.part(q.marks)
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
    p, b = ctx.param, ctx.b
    width = p.num_output
    ctx.check(width > 0, "num_output is missing or 0", "num_output", "give the size of the state")
    for field in ("dropout_ratio", "num_layers"):
        if p[field] != p.message_type.fields[field].default:
            ctx.note(f"{field} has no effect without engine: CUDNN", field)
    check_counts(ctx, names, (2, 3), "x, cont, a static input if there is one, then the states")
    given = len(names) if exposes(p, "input") else 0
    bottoms = len(ctx.bottoms)
    x = steps_first(ctx, 0)
    ctx.check(
        x.type.rank >= 3,
        f"'{ctx.layer.bottom[0]}' has shape {list(ctx.x.shape)}; steps, streams and at least one "
        "more axis are expected",
        "bottom",
    )
    steps, streams = int(x.shape[0]), x.shape[1]  # as many copies of the cell
    ctx.check(steps > 0, f"'{ctx.layer.bottom[0]}' {list(ctx.x.shape)} has no time step", "bottom")
    marks = read_marks(ctx, steps, streams)
    static = ctx.bottoms[2] if bottoms - given == 3 else None
    if static is not None:
        ctx.check(
            static.type.rank >= 2 and static.shape[0] == streams,
            f"the static input '{ctx.layer.bottom[2]}' has shape {list(static.shape)}; "
            f"[{streams}, ...] is expected: a row per stream",
            "bottom",
            index=2,
        )
    full = (1, streams, width)
    if given:
        for number in range(bottoms - given, bottoms):
            check_shape(ctx, number, full, "the state before the first step")
        starts = [b.map(e.stop(e.arg(0)), v) for v in ctx.bottoms[bottoms - given :]]
        cells: list[Value] = []
    else:
        cells = [ctx.state(name, TensorType(full)) for name in names]
        starts = cells
    rows = tuple(b.reshape(v, (streams, width)) for v in starts)
    return _Sequence(x, marks, steps, streams, width, static, rows, tuple(cells))


def _project(ctx: LayerContext, q: _Sequence, width: int) -> Value:
    """W x + b (+ W_static x_static) for all steps at once: [T, N, width]."""
    b, p, x = ctx.b, ctx.param, q.x
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


def _finish(
    ctx: LayerContext, q: _Sequence, out: Value, last: tuple[Value, ...]
) -> Sequence[Value]:
    """Keep or hand out the states after the last step."""
    b, full = ctx.b, (1, q.streams, q.width)
    states = [b.reshape(v, full) for v in last]
    for cell, state in zip(q.cells, states, strict=bool(q.cells)):
        ctx.write(cell, state)
    top = as_given(ctx, out)
    if not exposes(ctx.param, "output"):
        return [top]
    return [top, *(b.map(e.stop(e.arg(0)), v) for v in states)]
