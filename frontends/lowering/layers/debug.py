"""Debug (MyCaffe)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.graph import Value

from ..context import LayerContext
from ..registry import layer

MESSAGE = declare_message(
    "DebugParameter",
    optional("int32", "max_stored_batches", default=1000, execution_only=True),
    optional("int32", "item_index", default=-1, execution_only=True),
)


@layer(
    "Debug",
    param="debug_param",
    message=MESSAGE,
    bottoms=(2, 3),
    no_gradient_to=(1, 2),
    in_place=True,
    fork="MyCaffe",
    note="Nothing is stored: MyCaffe's viewers show the batches that its layer keeps.",
    coordinates="kept",
)
def lower_debug(ctx: LayerContext) -> Value:
    """The first bottom as it is; labels, and what is to be ignored, are not read.

    MyCaffe: MyCaffe/layers/DebugLayer.cs.
    """
    return ctx.x
