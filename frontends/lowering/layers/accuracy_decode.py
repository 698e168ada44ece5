"""AccuracyDecode and AccuracyEncoding (MyCaffe): whether the nearest centroid is the label's."""

from __future__ import annotations

import math

from ir import expr as e
from ir.graph import Value
from ir.ops.centroids import MoveCentroids
from ir.types import I32, TensorType

from ..centroids import FARTHEST, first_labels, highest_seen, label_count, nearest, rows_of, share
from ..context import LayerContext
from ..registry import layer


def _check(ctx: LayerContext) -> None:
    for field in ("top_k", "axis"):
        value = ctx.param[field]
        ctx.check(value == 1, f"{field} is {value}", field, f"{ctx.kind.title} takes 1 only")


@layer(
    "AccuracyDecode",
    param="accuracy_param",
    bottoms=2,
    no_gradient_to=(0, 1),
    fork_fields=("ignore_labels",),
    fork="MyCaffe",
    note="0 where every label is ignored (MyCaffe: NaN).",
)
def lower_accuracy_decode(ctx: LayerContext) -> Value:
    """In how many of the rows the smallest distance is that of the label, the first one that the
    row has. Bottoms: distances (N, L, ...), as Decode gives them, and labels.

    MyCaffe: MyCaffe.layers.beta/layers.beta/AccuracyDecodeLayer.cs.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    _check(ctx)
    ctx.check(
        x.type.rank >= 2 and math.prod(x.shape[2:]) == 1,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; a distance for each label is expected",
        "bottom",
        "Decode gives (N, labels, 1, 1)",
    )
    labels = b.reshape(first_labels(ctx), (x.shape[0], 1))
    found = nearest(b, b.reshape(x, x.shape[:2]))
    ignored = [*p.ignore_labels, *([p.ignore_label] if p.has("ignore_label") else [])]
    counts = e.const(True)
    for label in sorted(set(ignored)):
        counts = counts & e.not_equal(e.arg(1, I32), label)
    return share(b, e.equal(e.arg(0, I32), e.arg(1, I32)), counts, found, labels)


@layer(
    "AccuracyEncoding",
    param="accuracy_param",
    bottoms=2,
    no_gradient_to=(0, 1),
    also=("decode_param",),
    host=True,
    fork="MyCaffe",
    note="As many labels as `decode_param { pregen_label_count }` says, else 10; MyCaffe makes its "
    "blob larger with each larger label, and forgets the centroids then. Moves centroids on the "
    "host.",
)
def lower_accuracy_encoding(ctx: LayerContext) -> Value:
    """In how many of the rows (N, D) the nearest centroid is that of the label. The row has moved
    it before, in either phase.

    Bottom 1 holds labels in pairs, of which the first counts. Blob: centroids (L, D, 1, 1), which
    no solver changes; how many rows each has seen is not saved.
    MyCaffe: MyCaffe.layers.beta/layers.beta/AccuracyEncodingLayer.cs.
    """
    b, x, decode = ctx.b, ctx.x, ctx.layer.decode_param
    _check(ctx)
    ctx.check(
        x.type.rank >= 2 and math.prod(x.shape[2:]) == 1,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; an encoding per row is expected",
        "bottom",
        "put a Flatten layer before it",
    )
    ctx.check(
        decode.cache_size > 0, f"cache_size is {decode.cache_size}", "decode_param", "1 or more"
    )
    pairs = ctx.bottoms[1]
    ctx.check(
        pairs.type.size == 2 * x.shape[0],
        f"'{ctx.layer.bottom[1]}' {list(pairs.shape)} has {pairs.type.size} labels for "
        f"{x.shape[0]} rows",
        "bottom",
        "labels stand in pairs, of which the first counts",
        index=1,
    )
    labels, width = label_count(ctx, decode), int(x.shape[1])
    blob = ctx.parameter((labels, width, 1, 1), learns=False, overrules=True)
    seen = ctx.state("seen", TensorType((labels,)))
    numbers = first_labels(ctx)
    many = max(int(x.shape[0]) * decode.cache_size, 1)
    distances, centroids, now = b.emit_all(
        MoveCentroids(many), rows_of(ctx, width), numbers, b.reshape(blob, (labels, width)), seen
    )
    ctx.write(blob, b.reshape(centroids, blob.shape))
    ctx.write(seen, now)
    highest = b.reshape(highest_seen(b, now), (1, 1))
    known = b.map(e.where(e.index(1) > e.arg(1, I32), FARTHEST, e.arg(0)), distances, highest)
    found = nearest(b, known)
    right = e.equal(e.arg(0, I32), e.arg(1, I32))
    return share(b, right, e.const(True), found, b.reshape(numbers, (x.shape[0], 1)))
