"""Knn (MyCaffe): which class has the nearest of the rows that were seen in training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.ops.nearest import NearestByClass
from ir.types import TensorType

from ..context import LayerContext
from ..loss_terms import check_row_labels
from ..registry import layer

MESSAGE = declare_message(
    "KnnParameter",
    optional("int32", "num_output", default=10),
    optional("int32", "k", default=100),
    optional("int32", "max_stored_batches", default=10),
)
_MOST_BATCHES = 1000
_MOST_OUTPUTS = 1 << 20


@layer(
    "Knn",
    param="knn_param",
    message=MESSAGE,
    bottoms=2,
    no_gradient_to=(0, 1),
    host=True,
    fork="MyCaffe",
    note="Both phases take batches of one size, as in MyCaffe. Where only one class is stored it "
    "gives 1 (MyCaffe: NaN). In phase TEST it runs on the host.",
)
def lower_knn(ctx: LayerContext) -> Value:
    """(N, num_output, 1, 1). In training it keeps the last ``max_stored_batches`` batches and their
    labels in its blobs and gives zeros. In testing it tells how near the classes that are stored
    are to each row: 1 the nearest on average, by the ``k`` nearest of its rows, 0 the farthest.

    Blobs, which no solver changes: how many batches are stored, then rows and labels of each.
    MyCaffe: MyCaffe.layers.beta/layers.beta/KnnLayer.cs.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    ctx.check(x.type.rank >= 1, "the bottom is a scalar, which has no rows", "bottom")
    for field, most in (("num_output", _MOST_OUTPUTS), ("max_stored_batches", _MOST_BATCHES)):
        ctx.check(0 < p[field] <= most, f"{field} is {p[field]}", field, f"1 to {most}")
    labels, count = ctx.bottoms[1], x.shape[0]
    check_row_labels(ctx, count)
    ctx.takes_labels(p.num_output)
    stored = ctx.parameter((1, 1, 1, 1), learns=False, overrules=True)
    batches = [
        tuple(ctx.parameter(v.shape, learns=False, overrules=True) for v in (x, labels))
        for _ in range(p.max_stored_batches)
    ]
    shape = (count, p.num_output, 1, 1)
    if ctx.train:
        _store(ctx, stored, batches)
        return b.fill(0.0, shape)
    width = math.prod(x.shape[1:])
    rows = b.concat([b.reshape(rows, (count, width)) for rows, _ in batches], 0)
    classes = b.concat([b.reshape(names, (count,)) for _, names in batches], 0)
    there = b.map(e.to_int(e.arg(0) * e.dyn(count, stored.type.dtype)), b.reshape(stored, (1,)))
    near = b.emit(
        NearestByClass(p.num_output, p.k),
        b.reshape(x, (count, width)),
        rows,
        b.map(e.to_int(e.arg(0)), classes),
        there,
    )
    return b.reshape(near, shape)


def _store(ctx: LayerContext, stored: Value, batches: Sequence[tuple[Value, ...]]) -> None:
    """Put this batch in the place of the oldest one. The place is not saved: it begins anew."""
    b, most = ctx.b, len(batches)
    # How many came, less whole rounds behind the first: float32 counts only so far.
    passes = ctx.state("batches", TensorType((1,)))
    after = e.arg(0) + 1.0
    ctx.write(passes, b.map(e.where(after >= 2.0 * most, after - float(most), after), passes))
    more = e.minimum(e.maximum(e.arg(0), 0.0) + 1.0, float(most))
    started = e.where(e.arg(1) < 1.0, 1.0, more)
    ctx.write(stored, b.map(started, stored, b.reshape(passes, stored.shape)))
    came = e.arg(2)
    place = e.where(came >= float(most), came - float(most), came)
    for i, batch in enumerate(batches):
        for blob, new in zip(batch, ctx.bottoms, strict=True):
            one = b.reshape(passes, (1,) * blob.type.rank)
            here = e.where(e.equal(place, float(i)), e.arg(1), e.arg(0))
            ctx.write(blob, b.map(here, blob, new, one))
