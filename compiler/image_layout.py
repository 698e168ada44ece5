"""Layouts that a target wants of images and of the weights that go over them, by name.

* ``row-major``: N x C x extents, as Caffe has them.
* ``channels-last``: the channels innermost.
* ``channels-by-16``: blocks of so many channels innermost, of weights on either side. An axis that
  is shorter than a block has none.
"""

from __future__ import annotations

import re

from ir.errors import RoasteryError
from ir.layout import Layout, channel_blocks, channels_last
from ir.types import TensorType

ROW_MAJOR = "row-major"
_BLOCKS = re.compile(r"channels-by-([1-9]\d{0,3})")


def wanted_layout(name: str, type: TensorType, *, image: bool) -> Layout | None:
    """Of an image, or of weights (``image`` is False), of some type; None: row-major.

    Raises RoasteryError for a name that is no layout's.
    """
    if name == ROW_MAJOR:
        return None
    if name == "channels-last":
        return channels_last(type.rank)
    blocks = _BLOCKS.fullmatch(name)
    if blocks is None or int(blocks[1]) < 2:
        raise RoasteryError(
            f"there is no layout '{name}'",
            hint=f"layouts: {ROW_MAJOR}, channels-last, channels-by-N (N of 2 or more)",
        )
    size = int(blocks[1])
    axes = [axis for axis in ((1,) if image else (1, 0)) if type.shape[axis] >= size]
    return channel_blocks(type.rank, *((axis, size) for axis in axes))
