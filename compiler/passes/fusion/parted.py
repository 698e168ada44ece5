"""Images whose channels are put together of several in whole blocks of memory.

Who sums over the channels asks once in a block from which image it comes, and reads it there: the
images are copied together only where others read them.
"""

from __future__ import annotations

from ir.graph import Node, Value
from ir.op import Property, channel_axis
from ir.views import in_whole_blocks


def is_parted(node: Node) -> bool:
    """Whether a node puts together such channels."""
    axis = node.op.parts_axis
    if axis is None or axis != channel_axis(node.output.type.rank):
        return False
    return in_whole_blocks([v.type for v in node.inputs], axis)


def sums_over_channels(node: Node, image: Value) -> bool:
    """Whether a node is a convolution, to an image, of all channels of an image."""
    channels = node.op.channels
    if not node.op.properties & Property.CONTRACTION:
        return False
    if not channels or not len(channels[0]) == len(channels[-1]) == 1:
        return False
    return channels[0][0].groups == 1 and node.inputs[0] is image and image not in node.inputs[1:]
