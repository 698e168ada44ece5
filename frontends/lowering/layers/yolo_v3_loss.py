"""YoloV3Loss (Synopsys' Caffe)."""

from __future__ import annotations

from frontends.schema.registry import message_type
from ir import expr as e
from ir.graph import Value
from ir.ops.grid_cells import FIELDS
from ir.ops.grid_deltas import GridDeltas
from ir.types import I32

from ..context import LayerContext
from ..grid_losses import check_grid, grid_loss
from ..registry import layer

_PIXELS = {6: 32.0, 3: 16.0, 0: 8.0}
"""How many pixels a cell is wide, by the first anchor of a map: what YOLOv3 has at three scales."""


@layer(
    "YoloV3Loss",
    param="yolo_v3_loss_param",
    message=message_type("YoloV3LossParameter"),
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    host=True,
    fork="Synopsys",
    note="A batch without a box for these anchors has a loss that is no number, as in the fork. A "
    "box whose centre is outside of the image trains no cell (Caffe writes beyond memory). `side` "
    "has no effect, and net_w and net_h have none where the first of mask is 0, 3 or 6. Boxes are "
    "assigned on the host.",
)
def lower_yolo_v3_loss(ctx: LayerContext) -> Value:
    """Squares of what lacks of objects, classes and boxes, per box, and of background.

    Bottoms: maps (N, num_object * (5 + classes), side, side), and labels (N, 7 * side * side).
    synopsys-caffe: src/caffe/layers/yolo_v3_loss_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    check_grid(ctx)
    total = _total(ctx)
    mask = tuple(p.mask)[: p.num_object]
    by_anchor = mask[0] in _PIXELS
    ctx.check(
        by_anchor or (p.net_w > 0 and p.net_h > 0),
        f"the net's image is {p.net_w}x{p.net_h}",
        "net_w",
        "net_w and net_h, in pixels",
    )
    batch, _, height, width = x.shape
    raw = b.reshape(x, (batch, p.num_object, FIELDS + p.num_classes, height, width))
    told = b.map(e.where(e.index(2) < 4, e.arg(0), e.sigmoid(e.arg(0))), raw)
    op = GridDeltas(
        tuple(float(a) for a in p.anchors[: 2 * total]),
        mask,
        p.num_classes,
        _PIXELS.get(mask[0], 1.0),
        p.ignore_thresh,
        (1.0, 1.0, 1.0, 1.0),
        image=(0, 0) if by_anchor else (p.net_h, p.net_w),
        sure=p.truth_thresh,
        apart=True,
        all_background=True,
    )
    early = b.map(e.const(0, I32), shape=(1,))
    return grid_loss(ctx, raw, told, op, early)


def _total(ctx: LayerContext) -> int:
    """How many anchors there are."""
    p = ctx.param
    total = p.total_object
    ctx.check(
        total >= 1 and len(p.anchors) >= 2 * total and all(a > 0 for a in p.anchors),
        f"{len(p.anchors)} anchors values for a total_object of {total}",
        "anchors" if p.anchors else "total_object",
        "give a width and a height in pixels for each, above 0",
    )
    ctx.check(
        len(p.mask) >= p.num_object and all(0 <= m < total for m in p.mask),
        f"mask names {list(p.mask)} for {p.num_object} of {total} anchors",
        "mask" if p.mask else "num_object",
        "num_object numbers of anchors, from 0",
    )
    return int(total)
