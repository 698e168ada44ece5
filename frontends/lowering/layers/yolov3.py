"""Yolov3: the loss of YOLOv3."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import enum, optional, repeated
from ir import expr as e
from ir.graph import Value
from ir.ops.grid_cells import FIELDS
from ir.ops.yolo_deltas import YoloDeltas
from ir.types import F32

from ..context import LayerContext
from ..grid_truth import padded_truth
from ..loss_terms import check_equal_batches
from ..registry import layer

MESSAGE = declare_message(
    "Yolov3Parameter",
    enum("IOU_LOSS", IOU=0, GIOU=1, MSE=2, DIOU=3, CIOU=4),
    optional("uint32", "side", default=13),
    optional("uint32", "num_class", default=20),
    optional("uint32", "num", default=5),
    optional("float", "object_scale", default=1.0),
    optional("float", "class_scale", default=1.0),
    optional("float", "noobject_scale", default=0.5),
    optional("float", "coord_scale", default=5.0),
    optional("float", "thresh", default=0.2),
    optional("uint32", "anchors_scale", default=32),
    repeated("float", "biases"),
    repeated("uint32", "mask"),
    optional("bool", "use_logic_gradient", default=False),
    optional("bool", "use_focal_loss", default=False),
    optional("IOU_LOSS", "iou_loss", default="MSE"),
    optional("float", "iou_normalizer", default=0.25),
    optional("float", "iou_thresh", default=0.5),
    optional("float", "max_delta", default=10.0),
    optional("bool", "accumulate", default=True),
    optional("float", "label_smooth_eps", default=0.1),
)


@layer(
    "Yolov3",
    param="yolov3_param",
    message=MESSAGE,
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    host=True,
    fork="MobileNet-YOLO",
    note="A box whose centre is outside of the image, or whose class is none of num_class, trains "
    "no cell, or no class (Caffe writes beyond memory). Boxes are assigned on the host.",
)
def lower_yolov3(ctx: LayerContext) -> Value:
    """Sum of squares of what cells are told too much, and what boxes lack of being alike.

    Features (N, num * (5 + classes), H, W), labels (N, 1500).
    eric612/MobileNet-YOLO: src/caffe/layers/yolov3_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    _check(ctx)
    check_equal_batches(ctx)
    batch, _, height, width = x.shape
    truth = padded_truth(ctx, 1, batch)
    raw = b.reshape(x, (batch, p.num, FIELDS + p.num_class, height, width))
    field = e.index(2)
    size = e.equal(field, 2) | e.equal(field, 3)
    told = b.map(e.where(size, e.arg(0), e.sigmoid(e.arg(0))), raw)
    logic, by_numbers = p.use_logic_gradient, p.iou_loss == "MSE"
    op = YoloDeltas(
        tuple(p.biases),
        tuple(p.mask)[: p.num],
        p.num_class,
        float(p.anchors_scale),
        p.thresh,
        p.iou_thresh,
        p.iou_loss,
        (
            p.object_scale if logic else 1.0,
            p.class_scale,
            p.coord_scale,
            p.iou_normalizer,
        ),
        p.max_delta,
        accumulate=p.accumulate,
        smoothing=p.label_smooth_eps,
        focal=p.use_focal_loss,
    )
    deltas, lost = b.emit_all(op, told, truth.rows, truth.seen, truth.assigned)
    delta, given, shown = e.stop(e.arg(0)), e.arg(1), e.stop(e.arg(2))
    slope = delta
    if logic:
        # Caffe's x and y are what was given by then, where boxes are trained by a likeness.
        known = shown if by_numbers else e.where(field < 2, e.stop(given), shown)
        slope = e.where(size, delta, delta * (known * (1.0 - known)))
    square = delta * delta
    value = square if by_numbers else e.where(field < 4, 0.0, square)
    number = e.dyn(batch, F32)
    terms = b.map(e.grad_as(value / number, slope / number * given), deltas, raw, told)
    total = b.reshape(b.sum(terms, range(5)), (1,))
    if not by_numbers:
        more = e.arg(0) + e.arg(1) * p.iou_normalizer / number
        total = b.map(more, total, lost)
    return b.reshape(total, ())


def _check(ctx: LayerContext) -> None:
    p, x = ctx.param, ctx.x
    number = len(p.biases) // 2
    ctx.check(p.num >= 1 and p.num_class >= 1, f"{p.num} anchors, {p.num_class} classes", "num")
    ctx.check(
        number >= 1 and len(p.biases) % 2 == 0,
        f"there are {len(p.biases)} biases",
        "biases",
        "a width and a height, in pixels, for each anchor",
    )
    ctx.check(
        len(p.mask) >= p.num and all(m < number for m in p.mask),
        f"mask names {list(p.mask)} for {p.num} of {number} anchors",
        "mask",
        "num numbers of anchors, from 0",
    )
    ctx.check(p.anchors_scale >= 1, f"anchors_scale is {p.anchors_scale}", "anchors_scale")
    channels = p.num * (FIELDS + p.num_class)
    ctx.check(
        x.type.rank == 4 and x.shape[1] == channels,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; (N, {channels}, H, W) is expected",
        "bottom",
        f"num * (5 + num_class) channels: {p.num} * (5 + {p.num_class})",
    )
