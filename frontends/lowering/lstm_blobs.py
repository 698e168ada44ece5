"""The parameters that MyCaffe's own LSTM layers share, and the marks of their steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from frontends.schema.types import FieldType, optional
from ir.graph import Value
from ir.program import FillerSpec

from .context import LayerContext
from .fillers import filler_spec

FIELDS: tuple[FieldType, ...] = (
    optional("uint32", "num_output", default=0),
    optional("double", "clipping_threshold", default=0.0),
    optional("FillerParameter", "weight_filler"),
    optional("FillerParameter", "bias_filler"),
    optional("bool", "enable_clockwork_forgetgate_bias", default=False),
)

_FORGET = 5.0
"""What the bias of the forget gates starts at under enable_clockwork_forgetgate_bias."""


@dataclass(frozen=True)
class LstmBlobs:
    """Weights of the input (4 H, I) and of the old state (4 H, H), the bias (4 H); i, f, o, g."""

    weights: Value
    recurrent: Value
    bias: Value


def lstm_blobs(ctx: LayerContext, inner: int) -> LstmBlobs:
    """The layer's first three blobs; ``inner``: elements of an input per step and stream.

    Fillers that are not given are MyCaffe's: xavier, and 0.1.
    """
    width = ctx.param.num_output
    ctx.check(width > 0, "num_output is missing or 0", "num_output", "give the size of the state")
    weights = ctx.parameter((4 * width, inner), weight_filler(ctx))
    recurrent = ctx.parameter((4 * width, width), weight_filler(ctx))
    bias = bias_filler(ctx)
    if ctx.param.enable_clockwork_forgetgate_bias:
        forget = FillerSpec(value=_FORGET)
        gates = (((width,), bias), ((width,), forget), ((2 * width,), bias))
        bias = FillerSpec("parts", parts=gates, location=bias.location)
    return LstmBlobs(weights, recurrent, ctx.parameter((4 * width,), bias))


def weight_filler(ctx: LayerContext) -> FillerSpec:
    p = ctx.param
    return filler_spec(p.weight_filler) if p.has("weight_filler") else FillerSpec("xavier")


def bias_filler(ctx: LayerContext) -> FillerSpec:
    p = ctx.param
    return filler_spec(p.bias_filler) if p.has("bias_filler") else FillerSpec(value=0.1)


def clip_of(ctx: LayerContext, steps: int, streams: int) -> Value:
    """Bottom 1, the marks of steps where sequences go on, as [T, N, 1]."""
    clip = ctx.bottoms[1]
    ctx.check(
        clip.type.size == steps * streams,
        f"'{ctx.layer.bottom[1]}' has shape {list(clip.shape)}; [{steps}, {streams}] is expected: "
        "one mark per step and stream",
        "bottom",
        index=1,
    )
    return ctx.b.reshape(clip, (steps, streams, 1))


def count_behind(ctx: LayerContext, axis: int) -> int:
    """Elements of the first bottom per index of all axes before ``axis``."""
    return int(math.prod(ctx.x.shape[axis:]))
