"""ICNetSubgraph: the pyramid pooling of ICNet as one layer (Synopsys' Caffe)."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..interpolation import interpolated
from ..registry import layer
from .pooling import Pooled, pool

_WINDOWS = (((33, 65), (33, 65)), ((17, 33), (16, 32)), ((13, 25), (10, 20)), ((8, 15), (5, 10)))
"""Height and width of windows, and how far they lie apart: of images of 1025x2049 pixels."""


@layer(
    "ICNetSubgraph",
    fork="Synopsys",
    note="has a gradient, which the fork's lacks",
    coordinates="kept",
)
def lower_icnet_subgraph(ctx: LayerContext) -> Value:
    """The sum of the bottom and of four means over windows of it, each resized to its size.

    The windows are those of ICNet at its own size, whatever size the bottom has.
    synopsys-caffe: src/caffe/layers/icnet_subgraph_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    ctx.check(
        x.type.rank == 4 and all(d > 0 for d in x.shape[2:]),
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; (N, C, H, W) is expected",
        "bottom",
    )
    parts = [x]
    for window, stride in _WINDOWS:
        geometry = Pooled(window, stride, (0, 0), ceil=True)
        # A window of an image that is much smaller lies nowhere.
        ctx.check(
            all(count > 0 for count in geometry.outputs(x.shape[2:])),
            f"'{ctx.layer.bottom[0]}' has {x.shape[2]}x{x.shape[3]} pixels, too few for windows of "
            f"{window[0]}x{window[1]}",
            "bottom",
        )
        (mean,) = pool(ctx, x, "AVE", geometry)
        parts.append(interpolated(b, mean, x.shape[2:]))
    total = e.arg(0)
    for i in range(1, len(parts)):
        total = total + e.arg(i)
    return b.map(total, *parts)
