"""YoloDetectionOutput and Yolov3DetectionOutput (MobileNet-YOLO)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from frontends.schema.registry import extend_message, message_type
from frontends.schema.types import optional
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.reduction import ArgExtreme
from ir.ops.suppression import NonMaximum
from ir.types import F32, I32

from ..chosen import chosen
from ..context import LayerContext
from ..found_rows import (
    ABSENT,
    MOST_PLACES,
    detections,
    first_kept,
    picked,
    picked_places,
    ranked_as_cpp,
)
from ..registry import layer

extend_message("Yolov3DetectionOutputParameter", optional("bool", "gaussian_box", default=False))

_MANY = 1 << 16
"""Of more candidates only the best class of a box is one."""

_SURELY_SAME = 0.99
"""What overlaps by more is taken for the same box twice, whatever rounding makes of it."""


@dataclass(frozen=True)
class _Candidates:
    """Scores f32[K], classes i32[K], boxes f32[K, 4]."""

    scores: Value
    classes: Value
    boxes: Value


@layer(
    "YoloDetectionOutput",
    param="yolo_detection_output_param",
    message=message_type("YoloDetectionOutputParameter"),
    bottoms=(1, 2),
    no_gradient_to=(0, 1),
    fork="MobileNet-YOLO",
    note="The image of every row is 0, as in the fork. `side` and `label_map_file` have no effect.",
)
def lower_yolo_detection_output(ctx: LayerContext) -> Value:
    """Boxes of YOLOv2: (1, 1, D, 7), rows (0, class + 1, score, x1, y1, x2, y2), the best first.

    Bottoms: maps (N, boxes * (5 + classes), H, W) of offsets, objectness and scores. A box has
    its likeliest class; what is left of all images after non-maximum suppression, whatever the
    class. eric612/MobileNet-YOLO: src/caffe/layers/yolo_detection_output_layer.cpp.
    """
    p = ctx.param
    _check_numbers(ctx)
    ctx.check(p.coords == 4, f"coords is {p.coords}", "coords", "boxes have 4")
    count = len(p.biases)
    ctx.check(
        count >= 2 * p.num_box,
        f"{count} biases for {p.num_box} boxes",
        "biases" if count else "num_box",
        "give a width and a height for each",
    )
    sizes = [(p.biases[2 * i], p.biases[2 * i + 1]) for i in range(p.num_box)]
    least = e.arg(0) >= e.const(p.confidence_threshold)
    return _kept(ctx, [_of_map_v2(ctx, i, sizes) for i in range(len(ctx.bottoms))], least)


@layer(
    "Yolov3DetectionOutput",
    param="yolov3_detection_output_param",
    message=message_type("Yolov3DetectionOutputParameter"),
    bottoms=(1, None),
    no_gradient_to=tuple(range(8)),
    fork="MobileNet-YOLO",
    fork_fields=("gaussian_box",),
    note="The image of every row is 0, as in the fork. With `gaussian_box` each uncertainty counts "
    "once and classes follow the objectness; the fork's code for CPUs takes both from the wrong "
    "channels.",
)
def lower_yolov3_detection_output(ctx: LayerContext) -> Value:
    """Boxes of YOLOv3: as YoloDetectionOutput, but a box may have several classes.

    Bottoms: as many maps as mask_group_num, each with the anchors that its part of ``mask`` names,
    whose sizes are pixels of an image anchors_scale times as large as the map.
    eric612/MobileNet-YOLO: src/caffe/layers/yolov3_detection_output_layer.cpp,
    src/caffe/util/bbox_util.cpp.
    """
    p = ctx.param
    _check_numbers(ctx)
    maps = len(ctx.bottoms)
    ctx.check(
        maps == p.mask_group_num,
        f"{maps} bottom(s), mask_group_num is {p.mask_group_num}",
        "mask_group_num",
        "it is the number of maps",
    )
    ctx.check(
        len(p.anchors_scale) >= maps,
        f"{len(p.anchors_scale)} anchors_scale values for {maps} map(s)",
        "anchors_scale",
    )
    group = len(p.mask) // maps
    candidates = []
    for i in range(maps):
        mask = p.mask[i * group : i * group + p.num_box]
        ctx.check(
            len(mask) == p.num_box,
            f"{len(p.mask)} mask values for {maps} map(s) of {p.num_box} boxes",
            "mask" if len(p.mask) else "num_box",
            "give one for each box of each map",
        )
        for k, anchor in enumerate(mask, i * group):
            ctx.check(
                2 * anchor + 1 < len(p.biases),
                f"mask {anchor} is not among the {len(p.biases) // 2} anchors of biases",
                "mask",
                index=k,
            )
        ctx.check(p.anchors_scale[i] > 0, "anchors_scale is 0", "anchors_scale", index=i)
        sizes = [(p.biases[2 * anchor], p.biases[2 * anchor + 1]) for anchor in mask]
        candidates.append(_of_map_v3(ctx, i, sizes, p.anchors_scale[i]))
    return _kept(ctx, candidates, e.arg(0) > e.const(p.confidence_threshold))


def _check_numbers(ctx: LayerContext) -> None:
    p = ctx.param
    ctx.check(p.has("num_classes"), f"{ctx.kind.param} has no `num_classes`", "num_classes")
    for field in ("num_classes", "num_box"):
        ctx.check(p[field] > 0, f"{field} is 0", field)
    for field in ("confidence_threshold", "nms_threshold"):
        ctx.check(not math.isnan(p[field]), f"{field} is no number", field)


def _map(ctx: LayerContext, bottom: int, each: int) -> Value:
    """A bottom as [images, rows, columns, boxes, each]."""
    x, boxes = ctx.bottoms[bottom], ctx.param.num_box
    ctx.check(
        x.type.rank == 4 and x.shape[1] == boxes * each,
        f"'{ctx.layer.bottom[bottom]}' has shape {list(x.shape)}; {boxes} boxes of {each} numbers "
        f"need {boxes * each} channels of a map",
        "bottom",
        index=bottom,
    )
    ctx.check(
        all(extent > 0 for extent in x.shape),
        f"'{ctx.layer.bottom[bottom]}' has shape {list(x.shape)}: no position",
        "bottom",
        index=bottom,
    )
    images, _, rows, columns = x.shape
    shaped = ctx.b.reshape(x, (images, boxes, each, rows, columns))
    return ctx.b.transpose(shaped, (0, 3, 4, 1, 2))


def _of_map_v2(ctx: LayerContext, bottom: int, sizes: Sequence[tuple[float, float]]) -> _Candidates:
    p, b = ctx.param, ctx.b
    x = _map(ctx, bottom, 5 + p.num_classes)
    classes = b.slice(x, 4, 5, 5 + p.num_classes)
    powers = b.map(e.exp(e.arg(0) - e.arg(1)), classes, b.reduce("max", classes, (4,)))
    likely = b.map(e.arg(0) / e.arg(1), powers, b.sum(powers, (4,)))
    best = b.reduce("max", likely, (4,))
    scores = b.map(e.sigmoid(e.arg(0)) * e.arg(1), b.slice(x, 4, 4, 5), best)
    return _flat(
        ctx,
        scores,
        b.emit(ArgExtreme("max", 4, "first"), likely),
        _edges(ctx, x, sizes, (0, 1, 2, 3), 1),
    )


def _of_map_v3(
    ctx: LayerContext, bottom: int, sizes: Sequence[tuple[float, float]], scale: int
) -> _Candidates:
    p, b = ctx.param, ctx.b
    first = 8 if p.gaussian_box else 4
    x = _map(ctx, bottom, first + 1 + p.num_classes)
    classes = b.slice(x, 4, first + 1, first + 1 + p.num_classes)
    certain: Expr = e.sigmoid(e.arg(1))
    inputs = [b.slice(x, 4, first, first + 1)]
    if p.gaussian_box:
        doubt = [b.slice(x, 4, i, i + 1) for i in (1, 3, 5, 7)]
        left: Expr = e.const(4.0)
        for k in range(4):
            left = left - e.sigmoid(e.arg(2 + k))
        certain = certain * left / 4.0
        inputs += doubt
    scores = b.map(e.sigmoid(e.arg(0)) * certain, classes, *inputs)
    edges = _edges(ctx, x, sizes, (0, 2, 4, 6) if p.gaussian_box else (0, 1, 2, 3), scale)
    many = scores.type.size > _MANY and p.nms_threshold <= _SURELY_SAME
    if many or p.num_classes == 1:
        # A box keeps one class: it overlaps itself.
        best = b.reduce("max", scores, (4,))
        return _flat(ctx, best, b.emit(ArgExtreme("max", 4, "first"), scores), edges)
    numbers = b.map(e.index(4), shape=scores.shape)
    spread = b.broadcast(b.reshape(edges, (*edges.shape[:4], 1, 4)), (*scores.shape, 4))
    return _flat(ctx, scores, numbers, spread)


def _edges(
    ctx: LayerContext,
    x: Value,
    sizes: Sequence[tuple[float, float]],
    channels: tuple[int, int, int, int],
    scale: int,
) -> Value:
    """x1, y1, x2, y2 as parts of the image: [images, rows, columns, boxes, 4].

    Args:
        sizes: width and height of each box, in positions times ``scale``.
        channels: of the offsets across, down, and of the logarithms of width and height.
    """
    b = ctx.b
    _, rows, columns, _, _ = x.shape
    parts = [b.slice(x, 4, i, i + 1) for i in channels]
    low: list[Expr] = []
    high: list[Expr] = []
    for axis, extent, place in ((0, columns, e.index(2)), (1, rows, e.index(1))):
        center = (e.to_float(place) + e.sigmoid(e.arg(axis))) / e.dyn(extent, F32)
        size = chosen(e.index(3), [pair[axis] for pair in sizes])
        half = e.exp(e.arg(2 + axis)) * size / e.dyn(extent * scale, F32) / 2.0
        low.append(center - half)
        high.append(center + half)
    return b.concat(b.maps([*low, *high], *parts), 4)


def _flat(ctx: LayerContext, scores: Value, classes: Value, boxes: Value) -> _Candidates:
    b, count = ctx.b, scores.type.size
    return _Candidates(
        b.reshape(scores, (count,)), b.reshape(classes, (count,)), b.reshape(boxes, (count, 4))
    )


def _kept(ctx: LayerContext, maps: Sequence[_Candidates], counts: Expr) -> Value:
    """What no better one overlaps, of all images and maps; ``counts``: which scores do."""
    p, b = ctx.param, ctx.b
    found = b.concat([c.scores for c in maps], 0)
    scores = b.map(e.where(counts, e.arg(0), ABSENT), found)
    classes = b.concat([c.classes for c in maps], 0)
    boxes = b.concat([c.boxes for c in maps], 0)
    (count,) = scores.shape
    ctx.check(count <= MOST_PLACES, f"{count} boxes are more than can be sorted")
    best = ranked_as_cpp(b, b.reshape(scores, (1, count)), count)
    places = b.reshape(best.places, (count,))
    ordered = picked(b, boxes, places)
    op = NonMaximum(p.nms_threshold, touching=True)
    flags, total = b.emit_all(op, b.reshape(ordered, (1, count, 4)), best.counts)
    row = b.reshape(first_kept(b, flags, count), (count,))
    label = b.map(e.to_float(e.arg(0, I32)) + 1.0, picked_places(b, classes, places))
    columns = [
        b.fill(0.0, (count, 1)),
        *(
            b.reshape(picked(b, value, row), (count, 1))
            for value in (label, b.reshape(best.scores, (count,)))
        ),
        picked(b, ordered, row),
    ]
    return detections(ctx, b.concat(columns, 1), total, ctx.x.shape[0])
