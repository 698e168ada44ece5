"""Crops of several sizes at a few fixed places, for temporal segment networks.

yjxiong/caffe: src/caffe/data_transformer.cpp (fillCropSize, fillFixOffset).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np

_RATIOS = (1.0, 0.875, 0.75, 0.66)
"""Where scale_ratios gives none."""

_SNAP = 3
"""A side that is closer than this to that of the crop becomes it."""

_CORNERS = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))
_MORE_CORNERS = ((0, 2), (4, 2), (2, 0), (2, 4), (1, 1), (1, 3), (3, 1), (3, 3))
"""Rows and columns in quarters of the room that a crop leaves, in the order of the fork."""


class ScaledCropSettings(Protocol):
    """What a TransformConfig says of it."""

    @property
    def multi_scale(self) -> bool: ...
    @property
    def scale_ratios(self) -> tuple[float, ...]: ...
    @property
    def max_distort(self) -> int: ...


def scaled_crop_mistakes(settings: ScaledCropSettings) -> Iterator[tuple[str, str]]:
    """What can never be done, and the setting that says it."""
    if not settings.multi_scale:
        return
    for ratio in settings.scale_ratios:
        if not (math.isfinite(ratio) and 0 < ratio <= 1):
            text = f"{ratio:g} is no part of a picture's shorter side: more than 0, at most 1"
            yield text, "scale_ratios"
    if settings.max_distort < 0:
        yield f"max_distort is {settings.max_distort}; 0 takes squares only", "max_distort"


def crop_sizes(
    height: int, width: int, crop: tuple[int, int], settings: ScaledCropSettings
) -> list[tuple[int, int]]:
    """Heights and widths to choose from: parts of the shorter side, at most ``max_distort`` steps
    of the list of ratios apart.

    Args:
        height, width: of the picture.
        crop: height and width that the chosen window is resized to.
        settings: the layer's.
    """
    ratios = np.asarray(settings.scale_ratios or _RATIOS, np.float32)
    sides = (np.float32(min(height, width)) * ratios).astype(np.int64).tolist()
    highs, wides = ([size if abs(side - size) < _SNAP else side for side in sides] for size in crop)
    return [
        (high, wide)
        for i, high in enumerate(highs)
        for j, wide in enumerate(wides)
        if abs(i - j) <= settings.max_distort
    ]


def fixed_corners(spare_rows: int, spare_columns: int, more: bool) -> list[tuple[int, int]]:
    """First rows and columns to choose from.

    Args:
        spare_rows, spare_columns: how much higher and wider the picture is than the crop.
        more: 13 places, not 5.
    """
    row, column = spare_rows // 4, spare_columns // 4
    places = (*_CORNERS, *_MORE_CORNERS) if more else _CORNERS
    return [(row * down, column * right) for down, right in places]
