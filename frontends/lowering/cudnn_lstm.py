"""MyCaffe's LSTM with ``engine: CUDNN``: layers on top of each other, their weights in one blob.

The marks inside a batch have no effect: only the first one says whether the batch goes on where
the one before ended. MyCaffe: MyCaffe/layers/RecurrentLayer.cs; the order of the weights is that of
cuDNN's cudnnGetRNNLinLayerMatrixParams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.graph import Value
from ir.program import FillerSpec
from ir.types import TensorType

from .context import LayerContext
from .lstm_blobs import bias_filler, weight_filler
from .lstm_steps import lstm_steps, projected
from .recurrent_inputs import as_given, check_counts, exposes, read_marks, steps_first

_GATES = "ifgo"
"""The order of the gates in a layer's weights and biases."""


@dataclass(frozen=True)
class _Layer:
    """Weights of its input (4 H, I) and of the old state (4 H, H), and the two biases (4 H)."""

    weights: Value
    recurrent: Value
    biases: tuple[Value, Value]


def lower_cudnn_lstm(ctx: LayerContext) -> Sequence[Value]:
    """x [T, N, ...], cont [T, N] -> h of the last layer [T, N, H, 1].

    Under expose_hidden two more bottoms, and tops, are h and c of all layers, [layers, N, H, 1].
    Between layers a share of ``dropout_ratio`` is dropped in training. One blob, [count, 1, 1]: of
    each layer the weights (4 H, I) and (4 H, H); then of each layer two biases (4 H). Gates i, f,
    g, o.
    """
    b, p = ctx.b, ctx.param
    width, count = p.num_output, p.num_layers
    ctx.check(width > 0, "num_output is missing or 0", "num_output", "give the size of the state")
    ctx.check(count > 0, "num_layers is 0", "num_layers")
    ctx.check(
        0.0 <= p.dropout_ratio < 1.0,
        f"dropout_ratio {p.dropout_ratio:g} is not a share of the elements",
        "dropout_ratio",
        "give the probability of dropping an element: 0 or more, less than 1",
    )
    check_counts(ctx, ("h", "c"), (2,), "x, cont, then the states")
    x = steps_first(ctx, 0)
    ctx.check(
        x.type.rank >= 2 and x.shape[0] > 0,
        f"'{ctx.layer.bottom[0]}' has shape {list(ctx.x.shape)}; steps and streams are expected",
        "bottom",
    )
    steps, streams = int(x.shape[0]), x.shape[1]
    marks = read_marks(ctx, steps, streams)
    inner = int(math.prod(x.shape[2:]))
    layers = _layers(ctx, inner)
    cells: list[Value] = []
    if exposes(p, "input"):
        starts = _given_states(ctx, streams)
    else:
        type = TensorType((count, streams, width))
        cells = [ctx.state(name, type) for name in "hc"]
        first = b.slice(b.slice(marks, 0, 0, 1), 1, 0, 1)
        starts = [b.map(e.where(e.arg(1) > 0.0, e.arg(0), 0.0), v, first) for v in cells]
    values, last = b.reshape(x, (steps, streams, inner)), []
    for number, layer in enumerate(layers):
        values = _dropped(ctx, values) if number else values
        h, c = (b.reshape(b.slice(v, 0, number, number + 1), (streams, width)) for v in starts)
        inputs = projected(b, values, layer.weights, *layer.biases)
        made = lstm_steps(b, ctx.name, inputs, layer.recurrent, (h, c), gates=_GATES)
        last.append((made.last_h, made.last_c))
        values = made.h
    full = (1, streams, width)
    ends = [b.concat([b.reshape(v, full) for v in some], 0) for some in zip(*last, strict=True)]
    for cell, end in zip(cells, ends, strict=bool(cells)):
        ctx.write(cell, end)
    top = as_given(ctx, b.reshape(values, (steps, streams, width, 1)))
    if not exposes(p, "output"):
        return [top]
    return [top, *(b.reshape(v, (*v.shape, 1)) for v in ends)]


def _given_states(ctx: LayerContext, streams: int) -> list[Value]:
    """h and c that are bottoms, [layers, N, H]; a gradient flows to them."""
    shape = (ctx.param.num_layers, streams, ctx.param.num_output)
    for number in (2, 3):
        have = ctx.bottoms[number]
        ctx.check(
            have.type.size == math.prod(shape),
            f"'{ctx.layer.bottom[number]}' has shape {list(have.shape)}; {[*shape, 1]} is "
            "expected: the states of all layers before the first step",
            "bottom",
            index=number,
        )
    return [ctx.b.reshape(v, shape) for v in ctx.bottoms[2:4]]


def _layers(ctx: LayerContext, inner: int) -> list[_Layer]:
    """The layers' parts of the blob."""
    b, width, count = ctx.b, ctx.param.num_output, ctx.param.num_layers
    matrices: list[tuple[int, int]] = []
    for number in range(count):
        matrices += [(4 * width, width if number else inner), (4 * width, width)]
    shapes: list[tuple[int, ...]] = [*matrices, *([(4 * width,)] * (2 * count))]
    filled: list[tuple[tuple[int, ...], FillerSpec]] = []
    for shape in shapes:  # MyCaffe fills what each gate has, as one row
        spec = weight_filler(ctx) if len(shape) > 1 else bias_filler(ctx)
        filled += [((1, 1, math.prod(shape) // 4), spec)] * 4
    total = sum(map(math.prod, shapes))
    blob = ctx.parameter((total, 1, 1), FillerSpec("parts", parts=tuple(filled)))
    parts: list[Value] = []
    start = 0
    for shape in shapes:
        stop = start + math.prod(shape)
        parts.append(b.reshape(b.slice(blob, 0, start, stop), shape))
        start = stop
    biases = parts[2 * count :]
    return [
        _Layer(parts[2 * n], parts[2 * n + 1], (biases[2 * n], biases[2 * n + 1]))
        for n in range(count)
    ]


def _dropped(ctx: LayerContext, h: Value) -> Value:
    """What a layer hands to the next one."""
    ratio = ctx.param.dropout_ratio
    if not ctx.train or ratio == 0.0:
        return h
    u, random = ctx.uniform(1, h.type.rank)
    return ctx.b.map(e.where(u >= ratio, e.arg(0) * (1.0 / (1.0 - ratio)), 0.0), h, *random)
