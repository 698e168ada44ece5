"""Layouts that a target wants of images and of the weights that go over them, by name.

* ``row-major``: N x C x extents, as Caffe has them.
* ``channels-last``: the channels innermost; of weights those that are summed over, and outermost
  those of the result.
* ``channels-by-16``: blocks of so many channels innermost. Weights have them on either side, with
  the channels of the result innermost and outermost. The last block is filled up; an axis that
  fills less than half of one has none, nor has one whose groups do not end where blocks do, unless
  each is one channel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ir.errors import RoasteryError
from ir.layout import Layout
from ir.printable import printable

if TYPE_CHECKING:  # numpy comes with it, for which `--help` does not wait
    from ir.op import Channels
    from ir.types import TensorType

ROW_MAJOR, CHANNELS_LAST = "row-major", "channels-last"
FEW_CHANNELS = 4
"""Images of less, as of three colours, are read as they come; so are the weights over them."""
WIDE_BLOCK = 8
_BLOCKS = re.compile(r"channels-by-([1-9]\d{0,3})")


def channels_by(size: int) -> str:
    """The name of the layout in blocks of so many channels."""
    return f"channels-by-{size}"


def check_layout(name: str) -> None:
    """Raises RoasteryError for a name that is no layout's."""
    blocks = _BLOCKS.fullmatch(name)
    if name not in (ROW_MAJOR, CHANNELS_LAST) and not (blocks and int(blocks[1]) > 1):
        raise RoasteryError(
            f"there is no layout '{printable(name)}'",
            hint=f"layouts: {ROW_MAJOR}, {CHANNELS_LAST}, channels-by-N (N from 2 to 9999)",
        )


def wanted_layout(name: str, type: TensorType, channels: Sequence[Channels]) -> Layout | None:
    """Of an image, or of weights, of some type; None: row-major.

    ``channels``: where it has them (:attr:`ir.op.Op.channels`). Raises RoasteryError for a name
    that is no layout's.
    """
    check_layout(name)
    blocks = _BLOCKS.fullmatch(name)
    axes = [c.axis for c in channels]
    if name == CHANNELS_LAST:
        if len(axes) > 1 and any(c.groups > 1 for c in channels) and type.shape[axes[0]] == 1:
            axes = axes[::-1]  # of each group one channel: those of the other side are in its place
        if type.shape[axes[0]] < FEW_CHANNELS:
            return None
        between = [axis for axis in range(type.rank) if axis not in axes]
        return Layout.of((*axes[1:], *between, axes[0]))
    if blocks is None:
        return None
    size = int(blocks[1])
    inside = [(c.axis, size) for c in channels if _has_blocks(type.shape[c.axis], c.groups, size)]
    outside = axes[::-1] if len(axes) > 1 else []
    rest = [axis for axis in range(type.rank) if axis not in outside]
    return Layout.of((*outside, *rest), inside) if inside else None


def _has_blocks(extent: int, groups: int, size: int) -> bool:
    each = extent // groups
    # Vectors of which half is filled up are faster than rows whose ends are no whole vectors. A
    # block of few channels would take images of three colours, which are read as they come.
    enough = extent >= (size // 2 if size >= WIDE_BLOCK else size)
    return enough and (groups == 1 or each == 1 or each % size == 0)
