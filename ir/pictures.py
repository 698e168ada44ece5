"""Pictures in numpy, as OpenCV changes them: resized, rotated, in other hues.

Pictures are (channels, height, width), float32 or float64. OpenCV: modules/imgproc/src/resize.cpp,
imgwarp.cpp, color_hsv.simd.hpp.
"""

from __future__ import annotations

import numpy as np

_SHARPNESS = -0.75
"""Of the cubic that is put through four pixels."""


def resize_cubic(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture of another size: cubics through four pixels along each axis; beyond the edge is
    what is at the edge."""
    tall = _resized_along(picture, 1, height)
    return _resized_along(tall, 2, width)


def _resized_along(picture: np.ndarray, axis: int, extent: int) -> np.ndarray:
    have = picture.shape[axis]
    place = ((np.arange(extent) + 0.5) * (have / extent) - 0.5).astype(np.float32)
    first = np.floor(place).astype(np.int64)
    weights = _cubic((place - first).astype(np.float32)).astype(picture.dtype)
    shape = [1] * picture.ndim
    shape[axis] = extent
    made: np.ndarray | None = None
    for i, weight in enumerate(weights):
        taps = picture.take(np.clip(first + (i - 1), 0, have - 1), axis=axis)
        taps *= weight.reshape(shape)
        made = taps if made is None else np.add(made, taps, out=made)
    assert made is not None
    return made


def _cubic(past: np.ndarray) -> np.ndarray:
    """(4, n) weights of the pixels around places that are ``past`` the second of them."""
    a = np.float32(_SHARPNESS)
    far, ahead = past + 1, 1 - past
    first = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    second = ((a + 2) * past - (a + 3)) * past * past + 1
    third = ((a + 2) * ahead - (a + 3)) * ahead * ahead + 1
    return np.stack([first, second, third, 1 - first - second - third])


def rotated(picture: np.ndarray, matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """A (height, width) picture in which every place has what goes there by an affine map, 0 where
    not all four pixels that it is interpolated from exist.

    Args:
        matrix: (2, 3) takes (x, y, 1) of the picture to (x, y) of the result.
    """
    back = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]
    y, x = np.mgrid[:height, :width]
    from_x = back[0, 0] * x + back[0, 1] * y + back[0, 2]
    from_y = back[1, 0] * x + back[1, 1] * y + back[1, 2]
    left, above = np.floor(from_x).astype(np.int64), np.floor(from_y).astype(np.int64)
    high, wide = picture.shape[1:]
    inside = (left >= 0) & (left < wide - 1) & (above >= 0) & (above < high - 1)
    left, above = left[inside], above[inside]
    right = (from_x[inside] - left).astype(picture.dtype)
    down = (from_y[inside] - above).astype(picture.dtype)
    upper = picture[:, above, left] * (1 - right) + picture[:, above, left + 1] * right
    lower = picture[:, above + 1, left] * (1 - right) + picture[:, above + 1, left + 1] * right
    result = np.zeros((len(picture), height, width), picture.dtype)
    result[:, inside] = upper * (1 - down) + lower * down
    return result


def recolored(picture: np.ndarray, turn: float, saturation: float) -> np.ndarray:
    """A picture of blue, green and red from 0 to 1, whose hues are turned by so many degrees, and
    whose saturations are multiplied."""
    blue, green, red = picture
    value = picture.max(axis=0)
    spread = value - picture.min(axis=0)
    epsilon = picture.dtype.type(np.finfo(np.float32).eps)
    step = 60 / (spread + epsilon)
    hue = np.where(
        value == red,
        (green - blue) * step,
        np.where(value == green, (blue - red) * step + 120, (red - green) * step + 240),
    )
    hue = np.where(hue < 0, hue + 360, hue) + picture.dtype.type(turn)
    chroma = spread / (np.abs(value) + epsilon) * picture.dtype.type(saturation)
    sector = np.mod(hue / 60, 6)
    part = np.floor(sector)
    beyond = sector - part
    part = part.astype(np.int64) % 6
    shades = np.stack(
        [
            value,
            value * (1 - chroma),
            value * (1 - chroma * beyond),
            value * (1 - chroma * (1 - beyond)),
        ]
    )
    # Which shade blue, green and red have in each sixth of the circle of hues.
    which = np.array([[1, 3, 0], [1, 0, 2], [3, 0, 1], [0, 2, 1], [0, 1, 3], [2, 1, 0]])
    return np.take_along_axis(shades, which[part].transpose(2, 0, 1), axis=0).astype(picture.dtype)
