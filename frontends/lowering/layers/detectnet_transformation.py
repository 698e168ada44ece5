"""DetectNetTransformation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import numpy as np

from ir import expr as e
from ir.graph import Value
from ir.ops.detectnet import BOX, DetectNet
from ir.ops.scene import DRAWS, Augmentation
from ir.program import FillerSpec
from ir.types import TensorType

from ..context import LayerContext
from ..registry import layer

_PROBABLE = ("crop_prob", "scale_prob", "flip_prob", "rotation_prob", "hue_rotation_prob",
             "desaturation_prob")  # fmt: skip
_MOST_MAPS = 1 << 16


@layer(
    "DetectNetTransformation",
    param="detectnet_groundtruth_param",
    bottoms=2,
    tops=2,
    also=("detectnet_augmentation_param", "transform_param"),
    no_gradient_to=(0, 1),
    host=True,
    fork="NVCaffe",
    note="reads mean_value and mean_file of transform_param, and resizes as that fork does on a "
    "CPU. Runs on the host.",
)
def lower_detectnet_transformation(ctx: LayerContext) -> Sequence[Value]:
    """Pictures (N, 3, image_size_y, image_size_x), and maps (N, 8 + classes, rows, columns) of what
    their boxes cover.

    Bottoms: pictures (N, 3, H, W), and labels with rows of 16 numbers, the first of which says how
    many boxes follow. In TRAIN both are changed at random.
    NVIDIA/caffe: src/caffe/layers/detectnet_transform_layer.cpp.
    """
    b, p = ctx.b, ctx.param
    pictures, labels = ctx.bottoms
    shape = pictures.shape
    ctx.check(
        len(shape) == 4 and shape[1] == 3,
        f"'{ctx.layer.bottom[0]}' has shape {list(shape)}; (N, 3, height, width) is expected",
        "bottom",
        "pictures of three channels",
    )
    batch = labels.shape[0] if labels.shape else 0
    ctx.check(
        batch == shape[0],
        f"'{ctx.layer.bottom[1]}' has shape {list(labels.shape)} and '{ctx.layer.bottom[0]}' "
        f"{list(shape)}: a label for each picture is expected",
        "bottom",
        index=1,
    )
    rows = labels.type.size // batch // BOX
    ctx.check(
        rows >= 1 and labels.type.size == batch * rows * BOX,
        f"'{ctx.layer.bottom[1]}' has shape {list(labels.shape)}; (N, 1, boxes + 1, {BOX}) is "
        "expected",
        "bottom",
        f"rows of {BOX} numbers",
        index=1,
    )
    classes = {mapping.src: mapping.dst for mapping in p.object_class} or {1: 0}
    ctx.check(
        max(classes.values()) < _MOST_MAPS,
        f"an object_class has dst: {max(classes.values())}",
        "object_class",
        f"the number of its map, from 0 to {_MOST_MAPS - 1}",
    )
    for field in ("stride", "image_size_x", "image_size_y"):
        ctx.check(p[field] >= 1, f"{field} is {p[field]}", field, "at least 1")
    ctx.check(p.scale_cvg >= 0, f"scale_cvg is {p.scale_cvg:g}", "scale_cvg", "at least 0")
    op = DetectNet(
        size=(p.image_size_y, p.image_size_x),
        stride=p.stride,
        shrink=p.scale_cvg,
        gridbox=p.gridbox_type,
        length=p.min_cvg_len if p.gridbox_type == "GRIDBOX_MIN" else p.max_cvg_len,
        normalized=p.obj_norm,
        cropped=p.crop_bboxes,
        classes=tuple(classes),
        maps=tuple(classes.values()),
        mean=_mean_values(ctx),
        augmentation=_augmentation(ctx) if ctx.train else (),
    )
    ctx.check(
        min(op.grid) >= 1,
        f"stride is {p.stride}, and the picture {p.image_size_y} high and {p.image_size_x} wide",
        "stride",
        "it is the size of a cell",
    )
    operands = [pictures, b.reshape(labels, (batch, rows, BOX))]
    if op.augmentation:
        number, random = ctx.uniform(1, 2)
        operands.append(b.map(e.arg(0) + number, b.fill(0.0, (batch, DRAWS)), *random))
    if ctx.layer.transform_param.mean_file:
        operands.append(_mean_picture(ctx))
    return b.emit_all(op, *operands)


def _augmentation(ctx: LayerContext) -> tuple[float, ...]:
    """The fields of `Augmentation`."""
    p = ctx.layer.detectnet_augmentation_param
    settings = Augmentation(*(float(p[field.name]) for field in fields(Augmentation)))
    block = "detectnet_augmentation_param"
    for name in _PROBABLE:
        ctx.check(0 <= p[name] <= 1, f"{name} is {p[name]:g}", block, "a probability is 0 to 1")
    ctx.check(
        settings.scale_prob == 0 or 0 < settings.scale_min <= settings.scale_max,
        f"scale_min is {settings.scale_min:g} and scale_max {settings.scale_max:g}",
        block,
        "factors above 0, the smaller one first",
    )
    return astuple(settings)


def _mean_values(ctx: LayerContext) -> tuple[float, ...]:
    transform = ctx.layer.transform_param
    given = tuple(transform.mean_value)
    ctx.check(
        len(given) in (0, 1, 3),
        f"{len(given)} mean_value given",
        "transform_param",
        "give one mean_value, or 3",
    )
    ctx.check(
        not (given and transform.mean_file),
        "both mean_file and mean_value are given",
        "transform_param",
        "keep one of the two",
    )
    return given


def _mean_picture(ctx: LayerContext) -> Value:
    """The mean picture, kept as hidden state."""
    name = ctx.layer.transform_param.mean_file
    array = np.asarray(ctx.probe.blob_file(name, ctx.layer, (3, *ctx.x.shape[2:])), np.float32)
    shape = array.shape[-3:]
    ctx.check(
        array.ndim >= 3 and array.size == 3 * shape[-1] * shape[-2],
        f"mean file '{name}' holds {list(array.shape)}; (3, height, width) is expected",
        "transform_param",
    )
    mean = array.reshape(3, *shape[1:])
    return ctx.state("mean", TensorType(mean.shape), FillerSpec("array", array=mean))
