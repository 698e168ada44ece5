"""yolov2.darknet_reorg: Reorg as a Python layer (Synopsys' nets of YOLOv2)."""

from __future__ import annotations

from ir.graph import Value

from ..built_in_python import built_in
from ..context import LayerContext
from ..layers.reorg import reorganized

_STRIDE = 2


@built_in("yolov2", "darknet_reorg", 1, 1, "Synopsys")
def lower_darknet_reorg(ctx: LayerContext) -> Value:
    """As Reorg with stride 2, (N, 4 * C, H / 2, W / 2); it has no gradient.

    synopsys-caffe: python/yolov2.py, python/darknet.py.
    """
    x = ctx.x
    ctx.check(
        x.type.rank == 4
        and x.shape[1] % (_STRIDE * _STRIDE) == 0
        and all(extent % _STRIDE == 0 for extent in x.shape[2:]),
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; (N, 4 * C, 2 * H, 2 * W) is expected",
        "bottom",
    )
    return reorganized(ctx.b, x, _STRIDE)
