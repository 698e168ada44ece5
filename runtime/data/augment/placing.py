"""Pictures stretched a little and put somewhere on a grey square: caffe_yolo.

foss-for-synopsys-dwc-arc-processors/synopsys-caffe: src/caffe/data_transformer.cpp, Transform_Yolo;
src/caffe/util/yolo_preprocess.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ir.philox import uniform

from ..draws import PLACE, Draws

GREY = np.float32(0.5)
"""What is around the picture."""

_STRETCH_WIDE, _STRETCH_HIGH, _LEFT, _TOP, _MIRROR = range(5)
"""Lanes of the draws; those of the colours come after them."""


@dataclass(frozen=True, slots=True)
class SquarePlace:
    """Where a picture lies on its square of ``side`` pixels, in pixels, and whether mirrored.

    The picture itself is drawn at whole pixels, the boxes in it move by the exact numbers.
    """

    side: int
    top: np.float32
    left: np.float32
    high: np.float32
    wide: np.float32
    mirrored: bool


def drawn_placement(
    jitter: float, size: tuple[int, int], side: int, draws: Draws, number: int
) -> SquarePlace:
    """The place of the picture with this number.

    Args:
        jitter: the most that its height and its width change, in parts of them; below 1.
        size: its height and width.
        side: of the square.
    """
    drawn = uniform(draws.lanes(PLACE, number, _MIRROR + 1))
    height, width = np.float32(size[0]), np.float32(size[1])
    wider, higher = (
        (2 * drawn[[_STRETCH_WIDE, _STRETCH_HIGH]] - 1) * np.float32(jitter) * [width, height]
    ).astype(np.float32)
    form = (width + wider) / (height + higher)
    high = wide = np.float32(side)
    if form < 1:
        wide = high * form
    else:
        high = wide / form
    left = drawn[_LEFT] * (np.float32(side) - wide)
    top = drawn[_TOP] * (np.float32(side) - high)
    return SquarePlace(side, top, left, high, wide, bool(drawn[_MIRROR] < 0.5))


def placed_picture(values: np.ndarray, placement: SquarePlace, scale: float) -> np.ndarray:
    """A (channels, height, width) picture on its square, times ``scale``, not mirrored yet:
    (channels, side, side) float32.

    Between pixels it is interpolated; beyond the last row and column there is black.
    """
    side = placement.side
    out = np.full((len(values), side, side), GREY)
    top, left = int(placement.top), int(placement.left)
    high, wide = min(int(placement.high), side - top), min(int(placement.wide), side - left)
    if min(high, wide) < 1:
        return out
    rows, down = _between(int(placement.high), high, values.shape[1])
    columns, along = _between(int(placement.wide), wide, values.shape[2])
    down, one = down[:, np.newaxis], np.float32(1)
    shares = (
        (rows, columns, (one - down) * (one - along)),
        (rows + 1, columns, down * (one - along)),
        (rows, columns + 1, (one - down) * along),
        (rows + 1, columns + 1, down * along),
    )
    # Plane by plane, and rows before columns: what is added up stays in the cache.
    for plane, square in zip(values, out, strict=True):
        padded = np.pad(plane.astype(np.float32), (0, 1))
        placed = np.zeros((high, wide), np.float32)
        for row, column, share in shares:
            placed += share * padded.take(row, 0).take(column, 1)
        square[top : top + high, left : left + wide] = placed * np.float32(scale)
    return out


def _between(extent: int, count: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Of ``count`` places along an axis of ``extent`` that shows ``pixels``: the pixel before each,
    and how far it is beyond that."""
    places = np.arange(count, dtype=np.float32) / np.float32(extent) * np.float32(pixels)
    before = np.minimum(np.floor(places).astype(np.int64), pixels - 1)
    return before, places - before.astype(np.float32)
