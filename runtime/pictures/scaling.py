"""Pictures at other sizes."""

from __future__ import annotations

import numpy as np


def scale_picture(
    picture: np.ndarray,
    height: int,
    width: int,
    *,
    nearest: bool = False,
    rows: range | None = None,
    columns: range | None = None,
) -> np.ndarray:
    """(h, w, channels) of any numbers as float32 (height, width, channels).

    Bilinear, or with ``nearest`` the nearest pixel. With ``rows`` or ``columns`` these alone, next
    to each other, are made: the rest takes neither time nor memory.

    Pixels are areas, not points: the borders of both pictures coincide, and beyond them the last
    pixel goes on. Caffe: python/caffe/io.py (resize_image), for enlarging.
    """
    image = np.asarray(picture, np.float32)
    for axis, size, part in ((0, height, rows), (1, width, columns)):
        made = part or range(size)
        if image.shape[axis] != size:
            image = _interpolate(image, axis, size, made, nearest=nearest)
        elif len(made) != size:
            image = image.take(made, axis)
    return image.copy() if image is picture else image


def _interpolate(
    image: np.ndarray, axis: int, size: int, made: range, *, nearest: bool
) -> np.ndarray:
    old = image.shape[axis]
    places = (np.arange(made.start, made.stop) + 0.5) * (old / size) - 0.5
    if nearest:
        return np.take(image, np.clip(np.rint(places).astype(int), 0, old - 1), axis)
    places = np.clip(places, 0, old - 1)
    below = np.minimum(np.floor(places).astype(int), max(old - 2, 0))
    above = np.minimum(below + 1, old - 1)
    shape = [1] * image.ndim
    shape[axis] = len(made)
    part = (places - below).astype(np.float32).reshape(shape)
    lower, upper = np.take(image, below, axis), np.take(image, above, axis)
    return lower + (upper - lower) * part
