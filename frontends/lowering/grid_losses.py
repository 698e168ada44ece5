"""What Synopsys' losses of YOLO share: labels of a grid, and the gradient that they give.

synopsys-caffe: src/caffe/layers/yolo_v2_loss_layer.cpp, yolo_v3_loss_layer.cpp.
"""

from __future__ import annotations

import math

from ir import expr as e
from ir.graph import Value
from ir.ops.grid_cells import FIELDS
from ir.ops.grid_deltas import NUMBERS, GridDeltas
from ir.types import F32

from .context import LayerContext
from .loss_terms import check_equal_batches


def check_grid(ctx: LayerContext) -> None:
    """A square map of boxes, and seven numbers for each of its cells."""
    p, (x, labels) = ctx.param, ctx.bottoms
    names = ctx.layer.bottom
    for field in ("num_classes", "num_object"):
        ctx.check(p.has(field) and p[field] >= 1, f"{field} is missing or below 1", field)
    check_equal_batches(ctx)
    channels = p.num_object * (FIELDS + p.num_classes)
    ctx.check(
        x.type.rank == 4 and x.shape[1] == channels and x.shape[2] == x.shape[3],
        f"'{names[0]}' has shape {list(x.shape)}; (N, {channels}, side, side) is expected",
        "bottom",
        f"num_object * (5 + num_classes) channels: {p.num_object} * (5 + {p.num_classes})",
    )
    side = x.shape[2]
    ctx.check(
        math.prod(labels.shape[1:]) == NUMBERS * side * side,
        f"'{names[1]}' has shape {list(labels.shape)}; {NUMBERS} numbers for each of {side}x{side} "
        f"cells of '{names[0]}' are expected",
        "bottom",
        "a number that is not used, whether there is a box, its class, and the boxes",
        1,
    )


def grid_loss(ctx: LayerContext, raw: Value, told: Value, op: GridDeltas, early: Value) -> Value:
    """The scalar. raw, told: (N, A, 5 + C, H, W), before and after functions of their numbers."""
    b, labels = ctx.b, ctx.bottoms[1]
    batch = raw.shape[0]
    rows = b.reshape(labels, (batch, math.prod(labels.shape[1:])))
    deltas, lost = b.emit_all(op, told, rows, early)
    slope = e.stop(e.arg(0)) / e.dyn(batch, F32) * e.arg(1)
    none = b.sum(b.map(e.grad_as(e.const(0.0), slope), deltas, raw), range(5))
    return b.reshape(b.map(e.arg(0) + e.arg(1), b.reshape(none, (1,)), lost), ())
