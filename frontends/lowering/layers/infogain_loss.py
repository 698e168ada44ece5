"""InfogainLoss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ir import expr as e
from ir.graph import Value
from ir.ops.gather import Gather
from ir.program import FillerSpec
from ir.types import TensorType

from ..context import LayerContext
from ..loss_terms import (
    LOG_THRESHOLD,
    check_equal_batches,
    labels_along,
    loss_positions,
    softmax_pieces,
)
from ..registry import layer


@layer(
    "InfogainLoss",
    param="infogain_loss_param",
    bottoms=(2, 3),
    tops=(1, 2),
    loss=True,
    no_gradient_to=(1, 2),
    also=("loss_param",),
    inner_softmax=True,
    probabilities="Softmax",
)
def lower_infogain_loss(ctx: LayerContext) -> Sequence[Value]:
    """Mean of -sum_k H[label, k] log(p_k), where p is the softmax of the scores.

    H comes from the third bottom or from ``source`` (a binaryproto file). Second top: p, through
    which no gradient flows. Caffe: src/caffe/layers/infogain_loss_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    loss_param = ctx.layer.loss_param
    ctx.check(
        not loss_param.has("normalize"),
        "`normalize` has no meaning for InfogainLoss",
        "loss_param",
        "use `normalization`",
    )
    axis = ctx.axis(p.axis)
    check_equal_batches(ctx)
    labels = labels_along(ctx, axis, loss_param.get("ignore_label"))
    where = loss_positions(loss_param, math.prod(x.shape[:axis]), labels.type.size)
    s = softmax_pieces(ctx, x, axis)
    weights = _rows_of_matrix(ctx, labels, axis)
    shifted = e.arg(0) - e.stop(e.arg(1))
    total, weight, label = e.arg(2), e.arg(3), e.arg(4)
    probability = e.exp(shifted) / total
    # The clamp changes the value only: the gradient is that of the unclamped logarithm.
    term = weight * e.grad_as(
        0.0 - e.log(e.maximum(probability, LOG_THRESHOLD)), e.log(total) - shifted
    )
    terms = b.map(where.keep(label, term), x, s.top, s.total, weights, labels)
    loss = where.normalized(ctx, terms, labels)
    if ctx.top_count < 2:
        return [loss]
    return [loss, s.probabilities(ctx, flows=False)]


def _rows_of_matrix(ctx: LayerContext, labels: Value, axis: int) -> Value:
    """Per position the row of H of its label, in the shape of the scores."""
    b, shape = ctx.b, ctx.x.shape
    matrix = _matrix(ctx, shape[axis])
    rows = b.map(e.to_int(e.arg(0)), b.reshape(labels, (labels.type.size,)))
    picked = b.emit(Gather(), matrix, rows)
    outer, inner = shape[:axis], shape[axis + 1 :]
    picked = b.reshape(picked, (*outer, *inner, shape[axis]))
    last = len(shape) - 1
    return b.transpose(picked, (*range(axis), last, *range(axis, last)))


def _matrix(ctx: LayerContext, classes: int) -> Value:
    """H, classes x classes. From a file it is a hidden variable, which weights files skip."""
    if len(ctx.bottoms) > 2:
        given = ctx.bottoms[2]
        _check_size(ctx, given.shape, classes, "bottom")
        return ctx.b.map(e.stop(e.arg(0)), ctx.b.reshape(given, (classes, classes)))
    source = ctx.param.source
    ctx.check(
        bool(source),
        "there is no infogain matrix",
        "source",
        'name a binaryproto file in infogain_loss_param { source: "..." }, or give a third bottom',
    )
    wanted = (classes, classes)
    array = np.asarray(ctx.probe.blob_file(source, ctx.layer, wanted), np.float32)
    _check_size(ctx, array.shape, classes, "source")
    spec = FillerSpec("array", array=array.reshape(classes, classes))
    return ctx.state("infogain", TensorType((classes, classes)), spec)


def _check_size(ctx: LayerContext, shape: Sequence[int], classes: int, field: str) -> None:
    ctx.check(
        math.prod(shape) == classes * classes,
        f"the infogain matrix has shape {list(shape)}; {classes} classes need "
        f"{classes} x {classes} elements",
        field,
    )
