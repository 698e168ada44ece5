"""Normalize: two layers of one name, SSD's and happynear's."""

from __future__ import annotations

from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.build import expand
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "NormalizeParameter",
    optional("bool", "across_spatial", default=True),
    optional("FillerParameter", "scale_filler"),
    optional("bool", "channel_shared", default=True),
    optional("float", "eps", default=1e-10),
    optional("string", "normalize_type", default="L2"),
    optional("bool", "fix_gradient", default=False),
    optional("bool", "bp_norm", default=False),
)
MYCAFFES = declare_message(
    "Normalization2Parameter",
    optional("bool", "across_spatial", default=True),
    optional("FillerParameter", "scale_filler"),
    optional("bool", "channel_shared", default=True),
    optional("float", "eps", default=1e-10),
    optional("float", "esp", default=1e-10, execution_only=True),  # written, and never read
)
_SSD = ("across_spatial", "scale_filler", "channel_shared", "eps")
_HAPPYNEAR = ("normalize_type", "fix_gradient", "bp_norm")

_SMALL = 1e-6  # what happynear's CPU code adds


@layer(
    "Normalize",
    param="norm_param",
    message=MESSAGE,
    tops=(1, 2),
    in_place=True,
    also=("normalize_param",),
    fork="SSD, caffe-windows",
    coordinates="kept",
    note="`norm_param` is SSD's layer, `normalize_param` or a second top caffe-windows'. The "
    "gradient of SSD's with `channel_shared: false` is the fork's, which leaves the scales out of "
    "an inner product: it is the derivative where they are equal. `fix_gradient` changes nothing, "
    "as in the fork on a CPU.",
)
def lower_normalize(ctx: LayerContext) -> Sequence[Value]:
    """Divide by a norm over channels.

    weiliu89/caffe (branch ssd), happynear/caffe-windows: src/caffe/layers/normalize_layer.cpp.
    """
    rank = ctx.x.type.rank
    ctx.check(rank >= 2, f"Normalize takes 2 or more axes, the bottom has {rank}", "bottom")
    happynear = ctx.layer.has("normalize_param")
    ctx.check(
        not (happynear and ctx.layer.has("norm_param")),
        "norm_param is for SSD's Normalize layer, normalize_param for that of caffe-windows",
        "normalize_param",
        "give one of the two",
    )
    wrong = _SSD if happynear else _HAPPYNEAR
    block = ctx.layer.normalize_param if happynear else ctx.param
    for field in wrong:
        ctx.check(
            not block.has(field),
            f"`{field}` belongs into {'norm_param' if happynear else 'normalize_param'}",
            "normalize_param" if happynear else field,
        )
    if happynear or ctx.top_count > 1:
        return _happynear(ctx)
    return [_ssd(ctx)]


@layer(
    "Normalization2",
    param="normalization2_param",
    message=MYCAFFES,
    in_place=True,
    fork="MyCaffe",
    coordinates="kept",
    note="SSD's Normalize layer, gradient and all. `esp`, which MyCaffe writes, has no effect.",
)
def lower_normalization2(ctx: LayerContext) -> Value:
    """SSD's Normalize. MyCaffe: MyCaffe.layers.ssd/layers.ssd/Normalization2Layer.cs."""
    rank = ctx.x.type.rank
    ctx.check(rank >= 2, f"Normalization2 takes 2 or more axes, the bottom has {rank}", "bottom")
    return _ssd(ctx)


def _ssd(ctx: LayerContext) -> Value:
    """By the L2 norm over channels (and pixels); multiplied with a learned scale."""
    p, b, x = ctx.param, ctx.b, ctx.x
    rank = x.type.rank
    shape = () if p.channel_shared else (x.shape[1],)
    scale = ctx.parameter(shape, p.scale_filler if p.has("scale_filler") else 1.0)
    small = expand(b, scale, rank, 0 if p.channel_shared else 1)
    axes = range(1, rank) if p.across_spatial else (1,)
    squares = b.sum(b.map(e.arg(0) * e.arg(0), x), axes)
    norm = b.map(e.sqrt(e.arg(0) + e.const(p.eps)), squares)
    value, length, factor = e.arg(0), e.arg(1), e.arg(2)
    scaled = value / length * factor
    if p.channel_shared:
        return b.map(scaled, x, norm, small)
    # What backward multiplies with is the derivative at equal scales, for any: the scales come
    # last. It is that of the sum below, which is never computed itself.
    along = b.sum(b.map(e.stop(value) * value * e.stop(e.arg(1)), x, small), axes)
    fixed = e.stop(length)
    flowing = value * e.stop(factor) - e.stop(value) * e.arg(3) / (fixed * fixed)
    surrogate = flowing / fixed + e.stop(value / length) * factor
    return b.map(e.grad_as(scaled, surrogate), x, norm, small, along)


def _happynear(ctx: LayerContext) -> Sequence[Value]:
    """By the L2 or L1 norm over channels; a second top holds the norms (N, 1, H, W), through which
    a gradient flows with ``bp_norm``."""
    p, b = ctx.layer.normalize_param, ctx.b
    shape = ctx.x.shape
    ctx.check(len(shape) <= 4, f"4 axes at most are taken, the bottom has {list(shape)}", "bottom")
    ctx.check(
        p.normalize_type in ("L1", "L2"),
        f"normalize_type {p.normalize_type!r} is neither L1 nor L2",
        "normalize_param",
    )
    x = b.reshape(ctx.x, shape + (1,) * (4 - len(shape)))
    value = e.arg(0)
    squared = p.normalize_type == "L2"
    parts = b.map(value * value if squared else e.absolute(value), x)
    total = e.arg(0) + e.const(_SMALL)
    norm = b.map(e.sqrt(total) if squared else total, b.sum(parts, (1,)))
    y = b.map(value / e.arg(1), x, norm)
    if ctx.top_count == 1:
        return [y]
    return [y, b.map(e.arg(0) if p.bp_norm else e.stop(e.arg(0)), norm)]
