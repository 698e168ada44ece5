"""LabelsequenceAccuracy: how many sequences are read without a mistake."""

from __future__ import annotations

import math

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.ops.reduction import ArgExtreme
from ir.size import larger
from ir.types import F32, I32

from ..context import LayerContext
from ..label_sequences import label_rows, places
from ..registry import layer

MESSAGE = declare_message(
    "LabelsequenceAccuracyParameter",
    optional("int32", "blank_label", default=0),
)


@layer(
    "LabelsequenceAccuracy",
    param="labelsequence_accuracy_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(0, 1),
    fork="jolibrain",
)
def lower_labelsequence_accuracy(ctx: LayerContext) -> Value:
    """Scores [N, T, C] and labels [N, L] -> the share of sequences that are read as labelled.

    What is read: the best class of every step (the first of equal ones), those that repeat the
    step before left out, and blanks. Blanks among the labels are left out, too.
    jolibrain/caffe: src/caffe/layers/labelsequence_accuracy_layer.cpp.
    """
    b, x, blank = ctx.b, ctx.x, float(ctx.param.blank_label)
    ctx.check(
        x.type.rank >= 3 and math.prod(x.shape[2:]) == x.shape[2],
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; [batch, steps, classes] is expected",
        "bottom",
    )
    streams, steps, classes = x.shape[:3]
    best = b.emit(ArgExtreme("max", 2), b.reshape(x, (streams, steps, classes)))
    read = b.reshape(b.map(e.to_float(e.arg(0, I32)), best), (streams, steps))
    before = b.pad(read, (0, 1), (0, -1), blank)
    now = e.arg(0)
    news = e.not_equal(now, e.arg(1)) & e.not_equal(now, blank)
    taken = b.map(e.where(news, 1.0, 0.0), read, before)
    labels = label_rows(ctx, streams)
    length = labels.shape[1]
    meant = b.map(e.where(e.not_equal(e.arg(0), blank), 1.0, 0.0), labels)

    # A label is found if the step that is read in its place, counted among those taken, has it.
    rows = [b.reshape(v, (streams, steps, 1)) for v in (read, taken, places(b, taken))]
    columns = [b.reshape(v, (streams, 1, length)) for v in (labels, meant, places(b, meant))]
    same = (
        (e.arg(1) > 0.0)
        & (e.arg(4) > 0.0)
        & e.equal(e.arg(2), e.arg(5))
        & e.equal(e.arg(0), e.to_float(e.to_int(e.arg(3))))
    )
    found = b.sum(b.map(e.where(same, 1.0, 0.0), *rows, *columns), (1, 2))
    counts = [b.reshape(b.sum(v, (1,)), found.shape) for v in (taken, meant)]
    all_found = e.equal(e.arg(0), e.arg(1)) & e.equal(e.arg(0), e.arg(2))
    right = b.sum(b.map(e.where(all_found, 1.0, 0.0), found, *counts), (0,))
    share = b.map(e.arg(0) / e.dyn(larger(streams, 1), F32), right)
    return b.reshape(share, ())
