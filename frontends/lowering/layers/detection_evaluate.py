"""DetectionEvaluate (SSD)."""

from __future__ import annotations

import numpy as np

from ir import expr as e
from ir.graph import Value
from ir.ops.evaluation import EvaluateDetections
from ir.program import FillerSpec
from ir.types import F32, I32, TensorType

from ..context import LayerContext
from ..found_rows import trimmed
from ..ground_truth import ground_truth
from ..registry import layer

DETECTION = 7
MOST_CLASSES = 1 << 20  # there is a row for each


@layer(
    "DetectionEvaluate",
    param="detection_evaluate_param",
    bottoms=2,
    no_gradient_to=(0, 1),
    host=True,
    judges="detections",
    fork="SSD",
    note="Equal scores of one label stay in their order. Runs on the host.",
)
def lower_detection_evaluate(ctx: LayerContext) -> Value:
    """(1, 1, D, 5): numbers of boxes per label, then of each detection whether it is right.

    Bottoms: detections (1, 1, D, 7), as DetectionOutput gives them, and ground truth (1, 1, G, 8).
    weiliu89/caffe, ssd: src/caffe/layers/detection_evaluate_layer.cpp.
    """
    b, p = ctx.b, ctx.param
    ctx.check(p.has("num_classes"), "num_classes is missing", "num_classes", "with the background")
    ctx.check(
        1 <= p.num_classes <= MOST_CLASSES,
        f"num_classes is {p.num_classes}",
        "num_classes",
        f"1 to {MOST_CLASSES}",
    )
    ctx.check(
        p.overlap_threshold > 0.0,
        f"overlap_threshold is {p.overlap_threshold:g}",
        "overlap_threshold",
        "above 0",
    )
    background = p.background_label_id
    if background >= 2**31:  # a uint32 that Caffe reads as int: -1 is none
        background -= 2**32
    shape = ctx.x.shape
    rows = shape[2] if len(shape) > 2 else 0
    ctx.check(
        len(shape) > 2 and ctx.x.type.size == rows * DETECTION,
        f"'{ctx.layer.bottom[0]}' has shape {list(shape)}; (1, 1, D, 7) is expected",
        "bottom",
        "a row per detection: image, label, score, xmin, ymin, xmax, ymax",
    )
    values = [b.reshape(ctx.x, (rows, DETECTION)), ground_truth(ctx, 1).rows]
    mode, resized, place = "", (0, 0, 0, 0), None
    if p.name_size_file:
        values += _sizes(ctx, ctx.probe.image_sizes(p.name_size_file, ctx.layer))
        place = ctx.state("image", TensorType((1,)))
        values.append(b.map(e.to_int(e.arg(0)), place))
        mode, resized = _resized(ctx)
    op = EvaluateDetections(
        p.num_classes,
        background,
        p.overlap_threshold,
        difficult=p.evaluate_difficult_gt,
        mode=mode,
        resized=resized,
    )
    told, total, *after = b.emit_all(op, *values)
    if place is not None:
        ctx.write(place, b.map(e.to_float(e.arg(0, I32)), after[0]))
    first = len(op.labels)
    return trimmed(ctx, 2, b.reshape(told, (1, 1, *told.shape)), total, first)


def _sizes(ctx: LayerContext, sizes: np.ndarray) -> list[Value]:
    """The sizes of images as i32 (I, 2), kept as hidden state."""
    spec = FillerSpec("array", array=sizes)
    kept = ctx.state("sizes", TensorType(sizes.shape, F32), spec)
    return [ctx.b.map(e.to_int(e.arg(0)), kept)]


def _resized(ctx: LayerContext) -> tuple[str, tuple[int, int, int, int]]:
    """How resize_param says that images were resized."""
    p = ctx.param
    if not p.has("resize_param"):
        return "", (0, 0, 0, 0)
    r = p.resize_param
    ctx.check(
        r.height > 0 and r.width > 0,
        f"resize_param gives the size {r.height}x{r.width}",
        "resize_param",
        "height and width, at least 1",
    )
    return r.resize_mode, (r.height, r.width, r.height_scale, r.width_scale)
