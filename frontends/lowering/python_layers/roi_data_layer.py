"""roi_data_layer.layer: the pictures py-faster-rcnn learns from, of which only it knows where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Value
from ir.ops.host import HostCall
from ir.types import TensorType

from ..built_in_python import built_in
from ..context import LayerContext
from ..rpn_settings import rpn_settings

_HEIGHT, _WIDTH = 600, 1000
"""As large as its pictures are at most, before any is read."""


@built_in(
    "roi_data_layer.layer",
    "RoIDataLayer",
    0,
    (1, 6),
    "py-faster-rcnn",
    host=True,
    note="It has tops and reads nothing: what it reads, py-faster-rcnn's programs hand over.",
)
def lower_roi_data(ctx: LayerContext) -> Sequence[Value]:
    """Pictures and what is in them; a run that needs them is refused.

    With a top im_info (RPN): pictures (1, 3, 600, 1000), sizes (1, 3), objects (1, 5); else
    pictures of two images, regions (1, 5), classes (1), moves (1, 4 * num_classes, or (1, 8) with
    ``agnostic``) and two weights of them. rbgirshick/py-faster-rcnn and YuwenXiong/py-R-FCN:
    lib/roi_data_layer/layer.py.
    """
    s = rpn_settings(ctx, "num_classes")
    if "rois" in ctx.tops:
        wide = (1, 4 * (2 if s.agnostic else s.num_classes))
        usual = [(2, 3, _HEIGHT, _WIDTH), (1, 5), (1,), wide, wide, wide]
    else:
        usual = [(1, 3, _HEIGHT, _WIDTH), (1, 3), (1, 5)]
    ctx.check(
        ctx.top_count <= len(usual),
        f"{ctx.top_count} tops; this layer has {len(usual)}",
        "top",
        index=len(usual),
    )
    shapes = [ctx.shapes.get(top, shape) for top, shape in zip(ctx.tops, usual, strict=False)]
    probe = ctx.probe.stand_in(ctx.layer, shapes, ctx.key)

    def forward(inputs: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        if probe is not None:
            return probe.forward(inputs, shapes)
        raise ctx.error(
            "there is nothing to read: py-faster-rcnn's programs hand pictures over to their own "
            "roi_data_layer.layer",
            hint="allow it and put it on PYTHONPATH (--python-layers), or replace the layer by "
            "Input layers and give the net its pictures",
        )

    op = HostCall(ctx.name, tuple(TensorType(tuple(shape)) for shape in shapes), forward)
    return ctx.b.emit_all(op)
