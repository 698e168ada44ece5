"""Layouts that a target wants of images and of the weights that go over them, by name.

* ``row-major``: N x C x extents, as Caffe has them.
* ``channels-last``: the channels innermost.
* ``channels-by-16``: blocks of so many channels innermost, of weights on either side. An axis that
  is shorter than a block has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ir.errors import RoasteryError
from ir.layout import Layout, channel_blocks, channels_last
from ir.printable import printable

if TYPE_CHECKING:  # numpy comes with it, for which `--help` does not wait
    from ir.types import TensorType

ROW_MAJOR, CHANNELS_LAST = "row-major", "channels-last"
_BLOCKS = re.compile(r"channels-by-([1-9]\d{0,3})")


def check_layout(name: str) -> None:
    """Raises RoasteryError for a name that is no layout's."""
    blocks = _BLOCKS.fullmatch(name)
    if name not in (ROW_MAJOR, CHANNELS_LAST) and not (blocks and int(blocks[1]) > 1):
        raise RoasteryError(
            f"there is no layout '{printable(name)}'",
            hint=f"layouts: {ROW_MAJOR}, {CHANNELS_LAST}, channels-by-N (N from 2 to 9999)",
        )


def wanted_layout(name: str, type: TensorType, *, image: bool) -> Layout | None:
    """Of an image, or of weights (``image`` is False), of some type; None: row-major.

    Raises RoasteryError for a name that is no layout's.
    """
    check_layout(name)
    blocks = _BLOCKS.fullmatch(name)
    if blocks is None:
        return channels_last(type.rank) if name == CHANNELS_LAST else None
    size = int(blocks[1])
    axes = [axis for axis in ((1,) if image else (1, 0)) if type.shape[axis] >= size]
    return channel_blocks(type.rank, *((axis, size) for axis in axes))
