"""ShuffleChannel (ShuffleNet)."""

from __future__ import annotations

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir.graph import Value
from ir.size import larger

from ..context import LayerContext
from ..registry import layer


@layer(
    "ShuffleChannel",
    param="shuffle_channel_param",
    message=declare_message("ShuffleChannelParameter", optional("uint32", "group", default=1)),
    fork="ShuffleNet",
    coordinates="kept",
)
def lower_shuffle_channel(ctx: LayerContext) -> Value:
    """Channels of the groups interleaved: the first of each, the second of each, and so on.

    ShuffleNet: shuffle_channel_layer.cpp.
    """
    b, x, group = ctx.b, ctx.x, ctx.param.group
    ctx.check(x.type.rank >= 2, f"the bottom {list(x.shape)} has no channels", "bottom")
    channels = x.shape[1]
    ctx.check(
        group > 0 and channels % group == 0,
        f"{channels} channels do not divide into {group} groups",
        "group",
    )
    rest = x.type.size // larger(x.shape[0] * channels, 1)
    parts = b.reshape(x, (x.shape[0], group, channels // group, rest))
    return b.reshape(b.transpose(parts, (0, 2, 1, 3)), x.shape)
