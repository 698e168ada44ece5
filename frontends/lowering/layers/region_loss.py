"""RegionLoss (YOLOv2)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value
from ir.ops.grid_cells import FIELDS
from ir.types import F32

from ..context import LayerContext
from ..grid_truth import annotated_truth, has_rows, padded_truth
from ..loss_terms import softmax_pieces
from ..region_deltas import RegionRule, region_deltas
from ..registry import layer


@layer(
    "RegionLoss",
    param="region_loss_param",
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    fork="MobileNet-YOLO, intel/caffe",
    note="With labels (N, 1500) as MobileNet-YOLO's, with ground truth (1, 1, G, 8) as "
    "intel/caffe's, whose loss is a sum over the batch and whose gradient is divided by it.",
)
def lower_region_loss(ctx: LayerContext) -> Value:
    """Sum of squares of what cells are told too much, which is also the gradient.

    Features (N, A * (5 + classes), H, W): x, y, logarithms of width and height, object, classes.
    eric612/MobileNet-YOLO and intel/caffe: src/caffe/layers/region_loss_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    anchors = p.num
    rows = has_rows(ctx.bottoms[1])
    ctx.check(p.coords == 4, f"coords is {p.coords}", "coords", "4: x, y, width, height")
    ctx.check(anchors >= 1, f"num is {anchors}", "num", "the number of anchors")
    ctx.check(p.num_class >= 1, f"num_class is {p.num_class}", "num_class")
    ctx.check(
        len(p.biases) >= 2 * anchors,
        f"there are {len(p.biases)} biases for {anchors} anchors",
        "biases",
        "a width and a height, in cells, for each",
    )
    channels = anchors * (FIELDS + p.num_class)
    ctx.check(
        x.type.rank == 4 and x.shape[1] == channels,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; (N, {channels}, H, W) is expected",
        "bottom",
        f"num * (5 + num_class) channels: {anchors} * (5 + {p.num_class})",
    )
    batch, _, height, width = x.shape
    if rows:
        _check_rows(ctx, height, width)
    truth = annotated_truth(ctx, 1) if rows else padded_truth(ctx, 1, batch)
    raw = b.reshape(x, (batch, anchors, FIELDS + p.num_class, height, width))
    rule = RegionRule(
        tuple(p.biases)[: 2 * anchors],
        p.thresh,
        (p.object_scale, p.noobject_scale, p.class_scale, p.coord_scale),
        by_anchor=bool(p.bias_match),
        rescore=bool(p.rescore),
        bounded=rows,
    )
    deltas = region_deltas(b, _told(ctx, raw), truth, rule)
    number, delta = e.dyn(batch, F32), e.stop(e.arg(0))
    square = delta * delta if rows else delta * delta / number
    terms = b.map(e.grad_as(square, delta / number * e.arg(1)), deltas, raw)
    return b.reshape(b.sum(terms, range(5)), ())


def _told(ctx: LayerContext, raw: Value) -> Value:
    """Boxes as they are, the sigmoid of the object, the softmax of the classes."""
    b = ctx.b
    boxes = b.slice(raw, 2, 0, 4)
    there = b.map(e.sigmoid(e.arg(0)), b.slice(raw, 2, 4, FIELDS))
    scores = b.slice(raw, 2, FIELDS, raw.shape[2])
    classes = softmax_pieces(ctx, scores, 2).probabilities(ctx)
    return b.concat([boxes, there, classes], 2)


def _check_rows(ctx: LayerContext, height: int, width: int) -> None:
    """What intel/caffe's layer takes for granted, and what of it is not here."""
    p = ctx.param
    ctx.check(
        height == p.side and width == p.side,
        f"side is {p.side}, and '{ctx.layer.bottom[0]}' has {height}x{width} cells",
        "side",
    )
    for field in ("softmax_tree", "class_map"):
        ctx.check(
            not p[field],
            f"{field} is given, a file of YOLO9000, which is not supported",
            field,
            "classes without a hierarchy are: leave it out",
        )
