"""SegmentationEvaluate: how well masks cover their labels (MobileNet-YOLO)."""

from __future__ import annotations

import numpy as np

from frontends.schema.registry import message_type
from ir import expr as e
from ir.graph import Value
from ir.types import F32, I32

from ..context import LayerContext
from ..registry import layer
from ..resized_bytes import resized_bytes

_BRIGHTEST = 255


@layer(
    "SegmentationEvaluate",
    param="segmentation_evaluate_param",
    message=message_type("SegmentationEvaluateParameter"),
    bottoms=2,
    no_gradient_to=(0, 1),
    judges="overlaps",
    fork="MobileNet-YOLO",
    note="Tells of the first image of a batch, as the fork does, and takes as many classes as "
    "there are channels.",
)
def lower_segmentation_evaluate(ctx: LayerContext) -> Value:
    """Intersection over union of each class, (1, 1, 1, C): where masks and labels are above
    ``threshold``.

    Bottoms: masks (N, C, H, W) of probabilities, and labels (N, C, H', W'). Masks of another size
    become bytes and are resized by OpenCV's bilinear rule; -1 then stands for a class that is not
    in the image, unless it was found.
    eric612/MobileNet-YOLO: src/caffe/layers/segmentation_evaluate_layer.cpp.
    """
    b, p = ctx.b, ctx.param
    _check(ctx)
    masks, labels = (b.slice(value, 0, 0, 1) for value in ctx.bottoms)
    threshold = e.const(float(p.threshold))
    there = e.arg(1) > threshold
    if masks.shape[2:] == labels.shape[2:]:
        resized = False
        found = e.arg(0) > threshold
    else:
        resized = True
        darkest = int(np.float32(p.threshold) * np.float32(_BRIGHTEST))
        bright = e.to_int(e.minimum(e.maximum(e.arg(0) * _BRIGHTEST, 0.0), _BRIGHTEST))
        masks = resized_bytes(b, b.map(bright, masks), labels.shape[2:])
        found = e.arg(0, I32) > darkest
    flags = b.maps([e.where(c, 1, 0) for c in (there & found, there, found)], masks, labels)
    both, own, claimed = (b.sum(v, (2, 3)) for v in flags)
    hit, union = e.to_float(e.arg(0, I32)), e.arg(1, I32) + e.arg(2, I32) - e.arg(0, I32)
    share = hit / e.to_float(e.where(union > 0, union, 1))
    if resized:
        absent = e.equal(e.arg(0, I32), 0) & e.equal(e.arg(1, I32), 0)
        share = e.where(absent, -1.0, share)
    told = b.map(e.cast(share, F32), both, own, claimed)
    return b.reshape(told, (1, 1, 1, labels.shape[1]))


def _check(ctx: LayerContext) -> None:
    p, names = ctx.param, ctx.layer.bottom
    ctx.check(
        p.has("num_classes"),
        "num_classes is missing",
        "num_classes",
        f"'{names[0]}' has {ctx.x.shape[1]} channels" if ctx.x.type.rank > 1 else None,
    )
    for index, (name, value) in enumerate(zip(names, ctx.bottoms, strict=True)):
        ctx.check(
            value.type.rank == 4 and all(extent > 0 for extent in value.shape),
            f"'{name}' has shape {list(value.shape)}; (N, C, H, W) with at least one image and "
            "one pixel is expected",
            "bottom",
            index=index,
        )
    masks, labels = ctx.bottoms
    ctx.check(
        masks.shape[1] == labels.shape[1],
        f"'{names[0]}' has {masks.shape[1]} channels and '{names[1]}' {labels.shape[1]}: there is "
        "one of each for every class",
        "bottom",
        index=1,
    )
