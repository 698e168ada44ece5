"""SegAccuracy (PSPNet, DeepLab): how well pixels are classified."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import enum, optional, repeated
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.reduction import ArgExtreme
from ir.types import F32, I32, TensorType

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "SegAccuracyParameter",
    enum("AccuracyMetric", PixelAccuracy=0, ClassAccuracy=1, PixelIOU=2),
    optional("AccuracyMetric", "metric", default="PixelAccuracy"),
    repeated("int32", "ignore_label"),
    optional("bool", "reset", default=True),
)


@layer(
    "SegAccuracy",
    param="seg_accuracy_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(0, 1),
    judges="pixels",
    fork="PSPNet",
    note="`metric` means nothing, as in the fork: the top holds all three.",
)
def lower_seg_accuracy(ctx: LayerContext) -> Value:
    """Three numbers, (1, 1, 1, 3), of the confusion matrix of the pixels that no ignored label has.

    The share of right pixels; the mean over classes that occur of the share of their pixels that
    are right; the mean over all classes of intersection over union, 1 for a class that is neither
    there nor predicted. Of equal scores the last class is the prediction. ``reset: false`` adds
    up all passes. hszhao/PSPNet: src/caffe/layers/seg_accuracy_layer.cpp,
    src/caffe/util/confusion_matrix.cpp.
    """
    b, x, labels = ctx.b, ctx.x, ctx.bottoms[1]
    names = ctx.layer.bottom
    ctx.check(
        2 <= x.type.rank <= 4, f"'{names[0]}' has shape {list(x.shape)}; 2 to 4 axes are expected"
    )
    batch, classes, *pixels = x.shape
    ctx.check(
        labels.shape == (batch, 1, *pixels)
        or (labels.shape == (batch,) and all(d == 1 for d in pixels)),
        f"'{names[1]}' has shape {list(labels.shape)}; {[batch, 1, *pixels]}, one label per pixel "
        f"of '{names[0]}', is expected",
        "bottom",
        index=1,
    )
    labels = b.reshape(labels, (batch, 1, *pixels))
    ignored = sorted(set(ctx.param.ignore_label))
    others = [number for number in ignored if not 0 <= number < classes]
    if len(others) < 2:  # what else there is, a file may not hold
        ctx.takes_labels(classes, *others, scores=1)
    predicted = b.emit(ArgExtreme("max", 1, "last"), x)
    counts = _counts(ctx, predicted, labels, ignored)
    if not ctx.param.reset:
        type = TensorType((3, int(classes)), I32)
        before = ctx.state("counts", type)
        counts = b.map(e.arg(0, I32) + e.arg(1, I32), before, counts)
        ctx.write(before, counts)
    return _measures(ctx, b.map(e.to_float(e.arg(0, I32)), counts))


def _counts(ctx: LayerContext, predicted: Value, labels: Value, ignored: list[int]) -> Value:
    """(3, classes), whole numbers: pixels that are right, that have the class, that are said to."""
    b, classes = ctx.b, ctx.x.shape[1]
    label = e.to_int(e.arg(1))
    counted: Expr = (label >= 0) & (label < e.dyn(classes))
    for number in ignored:
        counted = counted & e.not_equal(label, number)
    mine = e.index(1)
    there, said = e.equal(label, mine), e.equal(e.arg(0, I32), mine)
    cases = (there & said, there, said)
    each = b.maps(
        [e.where(counted & case, 1, 0) for case in cases], predicted, labels, shape=ctx.x.shape
    )
    axes = [axis for axis in range(ctx.x.type.rank) if axis != 1]
    rows = [b.reshape(b.sum(v, axes), (1, classes)) for v in each]
    return b.concat(rows, 0)


def _measures(ctx: LayerContext, counts: Value) -> Value:
    b = ctx.b
    right, there, said = (b.slice(counts, 0, i, i + 1) for i in range(3))
    hit, own, claimed = e.arg(0), e.arg(1), e.arg(2)
    union = own + claimed - hit
    occurs = own > 0.0
    recall = e.where(occurs, hit / e.where(occurs, own, 1.0), 0.0)
    overlap = e.where(e.equal(union, hit), 1.0, hit / e.where(union > 0.0, union, 1.0))
    recalls, present, overlaps = b.maps(
        [recall, e.where(occurs, 1.0, 0.0), overlap], right, there, said
    )
    sums = [b.sum(v, (1,)) for v in (right, there, recalls, present, overlaps)]
    share = e.where(e.arg(1) > 0.0, e.arg(0) / e.where(e.arg(1) > 0.0, e.arg(1), 1.0), 0.0)
    tops = [
        b.map(share, sums[0], sums[1]),
        b.map(share, sums[2], sums[3]),
        b.map(e.arg(0) / e.dyn(ctx.x.shape[1], F32), sums[4]),
    ]
    return b.reshape(b.concat(tops, 1), (1, 1, 1, 3))
