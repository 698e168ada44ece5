"""The filters of the first layer that learns, as a picture."""

from __future__ import annotations

import math

import numpy as np

from ir.program import LayerInfo, NetProgram

_MOST = 256
"""Filters that are shown."""
_SIDE = 24
"""Pixels that a filter's side has at least."""


def first_filters(program: NetProgram) -> tuple[str, tuple[int, ...]] | None:
    """The weights of the first layer that learns any, and their shape as pictures.

    (filters, channels, height, width); None where they are no filters of pictures.
    """
    for layer in program.layers:
        learned = [v for v in layer.variables if program.variables[v].learns]
        if learned and layer.bottoms:
            shape = tuple(int(extent) for extent in program.variables[learned[0]].type.shape)
            found = _pictures(shape, layer)
            return None if found is None else (learned[0], found)
    return None


def _pictures(shape: tuple[int, ...], layer: LayerInfo) -> tuple[int, ...] | None:
    bottom = layer.bottom_values[0].type.shape
    if len(shape) == 4 and shape[2] * shape[3] > 1:
        return shape
    # A unit that looks at a whole picture is one, too.
    if len(shape) == 2 and len(bottom) == 4 and shape[1] == math.prod(map(int, bottom[1:])):
        picture = tuple(int(extent) for extent in bottom[1:])
        return (shape[0], *picture) if picture[1] > 1 and picture[2] > 1 else None
    return None


def filter_picture(weights: np.ndarray) -> np.ndarray:
    """Filters beside each other, (height, width, 3), uint8, red first.

    Three channels are blue, green and red, as Caffe's data layers read pictures; of others each is
    a gray picture of its own. Gray is 0, and the largest weight of all is black or white.

    Args:
        weights: (filters, channels, height, width).
    """
    filters = np.nan_to_num(np.asarray(weights, np.float64), posinf=0.0, neginf=0.0)
    if filters.shape[1] == 3:
        filters = filters[:, ::-1]
    else:
        filters = filters.reshape(-1, 1, *filters.shape[2:]).repeat(3, 1)
    filters = filters[:_MOST]
    count, _, height, width = filters.shape
    largest = np.abs(filters).max() or 1.0
    levels = np.round(127.5 + 127.5 * filters / largest).astype(np.uint8)
    scale = max(1, -(-_SIDE // min(height, width)))
    levels = levels.repeat(scale, 2).repeat(scale, 3)
    across = math.ceil(math.sqrt(count))
    down = -(-count // across)
    high, wide = levels.shape[2] + 1, levels.shape[3] + 1
    picture = np.zeros((down * high + 1, across * wide + 1, 3), np.uint8)
    for number, each in enumerate(levels):
        row, column = divmod(number, across)
        top, left = row * high + 1, column * wide + 1
        picture[top : top + high - 1, left : left + wide - 1] = each.transpose(1, 2, 0)
    return picture
