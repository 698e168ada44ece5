"""YoloV2Loss (Synopsys' Caffe)."""

from __future__ import annotations

from frontends.schema.registry import message_type
from ir import expr as e
from ir.graph import Value
from ir.ops.grid_cells import FIELDS
from ir.ops.grid_deltas import GridDeltas
from ir.types import TensorType

from ..context import LayerContext
from ..grid_losses import check_grid, grid_loss
from ..loss_terms import softmax_pieces
from ..registry import layer

_EARLY = 12800.0
"""Images that a net sees before boxes are no longer drawn to their anchors."""


@layer(
    "YoloV2Loss",
    param="yolo_v2_loss_param",
    message=message_type("YoloV2LossParameter"),
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    host=True,
    fork="Synopsys",
    note="A batch without a box has a loss that is no number, as in the fork. A box whose centre "
    "is outside of the image trains no cell (Caffe writes beyond memory). `side` and `constraint` "
    "have no effect. Boxes are assigned on the host.",
)
def lower_yolo_v2_loss(ctx: LayerContext) -> Value:
    """Squares of what lacks of objects, classes and boxes, per box, and of background.

    Bottoms: maps (N, num_object * (5 + classes), side, side), and labels (N, 7 * side * side).
    synopsys-caffe: src/caffe/layers/yolo_v2_loss_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    check_grid(ctx)
    ctx.check(
        len(p.anchors) == 2 * p.num_object,
        f"{len(p.anchors)} anchors values for {p.num_object} boxes",
        "anchors" if p.anchors else "num_object",
        "give a width and a height for each",
    )
    batch, _, height, width = x.shape
    raw = b.reshape(x, (batch, p.num_object, FIELDS + p.num_classes, height, width))
    there = b.map(e.sigmoid(e.arg(0)), b.slice(raw, 2, 4, FIELDS))
    scores = b.slice(raw, 2, FIELDS, FIELDS + p.num_classes)
    classes = softmax_pieces(ctx, scores, 2).probabilities(ctx)
    told = b.concat([b.slice(raw, 2, 0, 4), there, classes], 2)
    seen = ctx.state("seen", TensorType((1,)))
    early = b.map(e.where(e.arg(0) < _EARLY, 1, 0), seen)
    ctx.write(seen, b.map(e.where(e.arg(0) < _EARLY, e.arg(0) + e.dyn(batch), e.arg(0)), seen))
    op = GridDeltas(
        tuple(p.anchors),
        tuple(range(p.num_object)),
        p.num_classes,
        1.0,
        p.thresh,
        (p.object_scale, p.noobject_scale, p.class_scale, p.box_scale),
        rescore=bool(p.rescore),
    )
    return grid_loss(ctx, raw, told, op, early)
