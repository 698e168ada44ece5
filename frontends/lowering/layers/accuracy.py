"""Accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..loss_terms import Positions, hits, in_range, labels_along
from ..registry import layer


@layer(
    "Accuracy",
    param="accuracy_param",
    bottoms=2,
    tops=(1, 2),
    no_gradient_to=(0, 1),
    note="A label that names no class counts as a wrong prediction, and so does one whose score is "
    "NaN (a right one in Caffe, so that a net full of NaN scores 1). Labels of data that name no "
    "class are an error, but for those that a loss on the same data ignores.",
)
def lower_accuracy(ctx: LayerContext) -> Sequence[Value]:
    """Share of positions whose label is among the ``top_k`` best scores.

    Scores equal to the label's count as better ones, so uniform scores give 0; a score that is
    NaN is never among the best, where Caffe finds none that is better. Second top: the
    share for each class (0 where it has no label). Caffe: src/caffe/layers/accuracy_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    axis = ctx.axis(p.axis)
    ignored = p.get("ignore_label")
    labels = labels_along(ctx, axis, ignored)
    classes = x.shape[axis]
    ctx.takes_labels(classes, ignored, counts_others=True, scores=axis)
    ctx.check(
        p.top_k <= classes,
        f"top_k is {p.top_k}, and there are {classes} classes on axis {axis}",
        "top_k",
    )
    where = Positions(0, 0, "NONE", ignored)
    counts = where.keep(e.arg(1), e.const(1.0))
    truth = b.sum(b.map(e.where(hits(e.arg(1), axis), e.arg(0), 0.0), x, labels), (axis,))
    # The true class is one of those that reach its score, unless that is NaN: none reaches it.
    reached = b.sum(b.map(e.where(e.arg(0) >= e.arg(1), 1.0, 0.0), x, truth), (axis,))
    ranked = (e.arg(0) >= 1.0) & (e.arg(0) <= float(p.top_k))
    found = ranked & in_range(e.arg(1), classes)
    correct, counted = b.maps(
        [where.keep(e.arg(1), e.where(found, 1.0, 0.0)), counts], reached, labels
    )
    share = e.where(e.equal(e.arg(1), 0.0), 0.0, e.arg(0) / e.arg(1))
    every = range(x.type.rank)
    tops = [b.reshape(b.map(share, b.sum(correct, every), b.sum(counted, every)), ())]
    if ctx.top_count > 1:
        others = [i for i in every if i != axis]
        mine = hits(e.arg(1), axis)
        per_class = [
            b.sum(b.map(e.where(mine, e.arg(0), 0.0), v, labels, shape=x.shape), others)
            for v in (correct, counted)
        ]
        tops.append(b.reshape(b.map(share, *per_class), (classes,)))
    return tops
