"""Filter: the rows that a selector picks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir.graph import Value
from ir.ops.dynamic import NonZero
from ir.ops.gather import Gather

from ..context import LayerContext
from ..registry import layer


@layer(
    "Filter",
    bottoms=(2, None),
    tops=(1, None),
    no_gradient_to=(-1,),
    host=True,
    note="The batch size of the tops depends on data: finding the rows runs on the host.",
)
def lower_filter(ctx: LayerContext) -> Sequence[Value]:
    """Of every bottom but the last the rows where the last one (the selector) is not 0.

    A net is first made for tops as large as the bottoms; the shape named ``<layer>/rows`` gives
    the number of rows when it is made again for the number that came.
    Caffe: src/caffe/layers/filter_layer.cpp.
    """
    b = ctx.b
    *values, selector = ctx.bottoms
    names = ctx.layer.bottom
    ctx.check(
        ctx.top_count == len(values),
        f"{ctx.top_count} tops for {len(values)} bottoms and a selector",
        "top",
        "give one top per filtered bottom",
    )
    shape = selector.shape
    ctx.check(
        bool(shape) and math.prod(shape[1:]) == 1,
        f"the selector '{names[-1]}' has shape {list(shape)}; only its first extent may "
        "differ from 1",
        "bottom",
    )
    batch = shape[0]
    for name, value in zip(names, values, strict=False):
        ctx.check(
            bool(value.shape) and value.shape[0] == batch,
            f"'{name}' has shape {list(value.shape)}, the selector '{names[-1]}' has {batch} rows",
            "bottom",
        )
    key = f"{ctx.name}/rows"
    # A batch that became smaller since may hold fewer rows than came before.
    count = min(ctx.told(key, batch), batch)
    rows = b.emit(NonZero(count, key), b.reshape(selector, (batch,)))
    return [_pick(ctx, value, rows) for value in values]


def _pick(ctx: LayerContext, value: Value, rows: Value) -> Value:
    b = ctx.b
    batch, *inner = value.shape
    table = b.reshape(value, (batch, math.prod(inner)))
    return b.reshape(b.emit(Gather(), table, rows), (rows.shape[0], *inner))
