"""Pictures at other sizes."""

from __future__ import annotations

import numpy as np


def scale_picture(
    picture: np.ndarray, height: int, width: int, *, nearest: bool = False
) -> np.ndarray:
    """(h, w, channels) of any numbers as float32 (height, width, channels).

    Bilinear, or with ``nearest`` the nearest pixel.

    Pixels are areas, not points: the borders of both pictures coincide, and beyond them the last
    pixel goes on. Caffe: python/caffe/io.py (resize_image), for enlarging.
    """
    image = np.asarray(picture, np.float32)
    for axis, size in ((0, height), (1, width)):
        if image.shape[axis] != size:
            image = _interpolate(image, axis, size, nearest=nearest)
    return image.copy() if image is picture else image


def _interpolate(image: np.ndarray, axis: int, size: int, *, nearest: bool) -> np.ndarray:
    old = image.shape[axis]
    places = (np.arange(size) + 0.5) * (old / size) - 0.5
    if nearest:
        return np.take(image, np.clip(np.rint(places).astype(int), 0, old - 1), axis)
    places = np.clip(places, 0, old - 1)
    below = np.minimum(np.floor(places).astype(int), max(old - 2, 0))
    above = np.minimum(below + 1, old - 1)
    shape = [1] * image.ndim
    shape[axis] = size
    part = (places - below).astype(np.float32).reshape(shape)
    lower, upper = np.take(image, below, axis), np.take(image, above, axis)
    return lower + (upper - lower) * part
