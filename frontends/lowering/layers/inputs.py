"""Layers that bring values into a net: Input, Parameter, and the data layers."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


@layer("Input", param="input_param", bottoms=0, tops=(1, None), fed=True)
def lower_input(ctx: LayerContext) -> Sequence[Value]:
    """Tops fed by the caller. One shape for all tops, one per top, or none (a shape is then
    given when the net is compiled). Caffe: src/caffe/layers/input_layer.cpp."""
    given = ctx.param.shape
    ctx.check(
        len(given) in (0, 1, ctx.top_count),
        f"{ctx.top_count} tops and {len(given)} shapes",
        "shape",
        "give one shape for all tops, or one per top",
    )
    values = []
    for i, top in enumerate(ctx.tops):
        if top in ctx.shapes:
            shape = ctx.shapes[top]
        elif given:
            shape = tuple(given[i if len(given) > 1 else 0].dim)
        else:
            raise ctx.error(f"input '{top}' has no shape", hint="add shape { dim: ... }")
        ctx.check(all(d >= 0 for d in shape), f"shape {list(shape)} has a negative extent", "shape")
        ctx.check(len(shape) <= 32, f"{len(shape)} axes; a blob has at most 32", "shape")
        values.append(ctx.input(top, shape))
    return values


@layer("Parameter", param="parameter_param", bottoms=0)
def lower_parameter(ctx: LayerContext) -> Value:
    """A learnable tensor as a top. Caffe: include/caffe/layers/parameter_layer.hpp."""
    shape = tuple(ctx.param.shape.dim)
    return ctx.parameter(shape)


def lower_fed(ctx: LayerContext) -> Sequence[Value]:
    """Tops of a data layer, which the runtime reads (`runtime.data.sources`)."""
    probe = ctx.probe.data(ctx.layer, ctx.phase, ctx.key)
    ctx.source = probe.source
    shapes = zip(ctx.tops, probe.shapes, strict=True)
    return [ctx.input(top, ctx.shapes.get(top, shape)) for top, shape in shapes]


_TRANSFORM = "transform_param"

AUGMENTATION = (
    "crop_h",
    "crop_w",
    "distort_param",
    "emit_constraint",
    "expand_param",
    "noise_param",
    "resize_param",
)
"""What weiliu89/caffe (SSD) added to transform_param; distort_param, expand_param and
emit_constraint change nothing but AnnotatedData there."""

RANDOM_SIZE = (
    "random_resize_param",
    "random_aspect_ratio_param",
    "img_rand_resize_lower",
    "img_rand_resize_upper",
    "rand_resize_ratio_lower",
    "rand_resize_ratio_upper",
    "vertical_stretch_lower",
    "vertical_stretch_upper",
    "horizontal_stretch_lower",
    "horizontal_stretch_upper",
    "interpolation_algo_down",
    "interpolation_algo_up",
    "allow_upscale",
)
"""What intel/caffe and NVIDIA/caffe added: random sizes of pictures."""

SCALED_CROPS = (
    "multi_scale",
    "scale_ratios",
    "max_distort",
    "fix_crop",
    "more_fix_crop",
    "is_flow",
)
"""What yjxiong/caffe (TSN) added: crops of several sizes, at fixed places, of optical flow."""

LABELS = ("label_type", "label_channels", "label_height", "label_width")
"""What MyCaffe added to memory_data_param: labels, or none of them."""

MYCAFFES = (
    "enable_random_selection",
    "images_per_blob",
    "output_all_labels",
    "balance_matches",
    "color_order",
    "use_image_mean",
    "use_imagedb_mean",
)
"""What MyCaffe added: pairs of pictures, and how records are chosen."""

_FORK_FIELDS = {
    "MemoryData": LABELS,
    "Data": (*AUGMENTATION, *RANDOM_SIZE, *SCALED_CROPS, *MYCAFFES, "cvt_bgr2rgb", "shuffle"),
    "ImageData": (
        *(*AUGMENTATION, *RANDOM_SIZE, *SCALED_CROPS),
        *("short_side", "bgr2rgb", "cvt_bgr2rgb"),
    ),
}

for _name, _param, _tops, _also in (
    ("Data", "data_param", (1, 2), (_TRANSFORM,)),
    ("ImageData", "image_data_param", (2, 2), (_TRANSFORM, "data_param")),
    ("HDF5Data", "hdf5_data_param", (1, None), ()),
    ("MemoryData", "memory_data_param", (1, 2), (_TRANSFORM,)),
    ("WindowData", "window_data_param", (2, 2), (_TRANSFORM, "data_param")),
    ("DummyData", "dummy_data_param", (1, None), ()),
):
    layer(
        _name,
        param=_param,
        bottoms=0,
        tops=_tops,
        source=True,
        also=_also,
        fork_fields=_FORK_FIELDS.get(_name, ()),
    )(lower_fed)
