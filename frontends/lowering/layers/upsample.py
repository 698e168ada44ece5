"""Upsample (SegNet)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.graph import Value
from ir.ops.window import WindowScatter

from ..context import LayerContext
from ..registry import layer

PARAMETERS = declare_message(
    "UpsampleParameter",
    optional("float", "scale", default=2.0),
    optional("uint32", "scale_h"),
    optional("uint32", "scale_w"),
    optional("bool", "pad_out_h", default=False),
    optional("bool", "pad_out_w", default=False),
    optional("uint32", "upsample_h"),
    optional("uint32", "upsample_w"),
)


@layer(
    "Upsample",
    param="upsample_param",
    message=PARAMETERS,
    bottoms=2,
    no_gradient_to=(1,),
    fork="SegNet",
    note="A mask must come from pooling whose windows do not overlap: `scale` wide, `scale` apart.",
)
def lower_upsample(ctx: LayerContext) -> Value:
    """Puts every element back where MAX pooling took it from; zeros elsewhere.

    Bottoms: x (N, C, H, W), and the mask that Pooling's second top holds (h * W + w).
    SegNet: src/caffe/layers/upsample_layer.cpp.
    """
    p, (x, mask) = ctx.param, ctx.bottoms
    ctx.check(x.type.rank == 4, f"4 axes are needed, '{ctx.layer.bottom[0]}' has {x.type.rank}")
    ctx.check(
        mask.shape == x.shape,
        f"the mask has shape {list(mask.shape)}, the bottom {list(x.shape)}",
        "bottom",
        index=1,
    )
    scale = int(p.scale) if abs(p.scale) < 1 << 31 else 0  # no infinity, no NaN
    scales = [p.scale_h or scale, p.scale_w or scale]
    ctx.check(min(scales) > 0, f"scale {p.scale:g} is not a whole number above 0", "scale")
    given = [p.upsample_h, p.upsample_w]
    if not all(given):
        pads = [p.pad_out_h, p.pad_out_w]
        given = [d * s - pad for d, s, pad in zip(x.shape[2:], scales, pads, strict=True)]
    spare = [d * s - out for d, s, out in zip(x.shape[2:], scales, given, strict=True)]
    ctx.check(
        all(0 <= over < s for over, s in zip(spare, scales, strict=True)),
        f"pooling {given} by {scales} does not give {list(x.shape[2:])}",
        "upsample_h",
        hint="upsample_h and upsample_w are the extents of the blob that was pooled",
    )
    window = (1, 1, *scales)
    put = WindowScatter(
        window, window, (0,) * 4, (0, 0, *spare), shape=(*x.shape[:2], *given), spatial_rank=2
    )
    return ctx.b.emit(put, x, ctx.b.map(e.to_int(e.arg(0)), mask))
