"""EvalDetection (intel/caffe): YOLOv2's boxes told right or wrong."""

from __future__ import annotations

from frontends.schema.registry import message_type
from ir.graph import Value
from ir.ops.cell_evaluation import EvaluateCells

from ..context import LayerContext
from ..ground_truth import ground_truth
from ..registry import layer


@layer(
    "EvalDetection",
    param="eval_detection_param",
    message=message_type("EvalDetectionParameter"),
    bottoms=(2, 3),
    no_gradient_to=(0, 1, 2),
    host=True,
    fork="YOLOv2",
    note="Equal scores stay in their order. `sqrt` and `constriant` have no effect, as in the "
    "fork; with `nms` below 0 it tells of no box. Runs on the host.",
)
def lower_eval_detection(ctx: LayerContext) -> Value:
    """(N, classes + side * side * boxes * 4): numbers of boxes by class, then (class, score,
    right, wrong) of each box that is found.

    Bottoms: what the net says of cells, (N, boxes * (5 + classes), side, side), and ground truth
    (1, 1, G, 8); a third, the image, is not read.
    intel/caffe: src/caffe/layers/eval_detection_layer.cpp.
    """
    b, p, x = ctx.b, ctx.param, ctx.x
    side, classes, boxes = p.side, p.num_class, p.num_object
    width = classes + 5
    ctx.check(min(side, classes, boxes) > 0, "side, num_class and num_object are 1 or more", "side")
    ctx.check(
        x.type.rank == 4 and x.shape[1:] == (boxes * width, side, side),
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; (N, {boxes * width}, {side}, {side}) "
        f"is expected, for {boxes} boxes of {classes} classes",
        "bottom",
    )
    ctx.check(
        len(p.biases) == 2 * boxes,
        f"{len(p.biases)} biases for {boxes} boxes",
        "biases" if p.has("biases") else "num_object",
        "give a width and a height for each",
    )
    cells = b.transpose(b.reshape(x, (x.shape[0], boxes, width, side, side)), (0, 3, 4, 1, 2))
    op = EvaluateCells(tuple(p.biases), p.threshold, p.nms, p.score_type)
    return b.emit(op, cells, ground_truth(ctx, 1).rows)
