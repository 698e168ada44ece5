"""Pictures as pycaffe has them: float32, RGB, (height, width, channels), in [0, 1].

Caffe: python/caffe/io.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ir.errors import RoasteryError
from runtime.data.image_limit import check_pixels
from runtime.data.picture_file import load_image
from runtime.pictures import scale_picture

__all__ = ["load_image", "oversample", "resize_image"]


def resize_image(
    im: np.ndarray, new_dims: Sequence[int] | np.ndarray, interp_order: int = 1
) -> np.ndarray:
    """Interpolate to (height, width): 0 takes the nearest pixel, 1 (the default) is bilinear.

    Works for any number of channels and any range of values. Pixels are areas, not points:
    the borders of both pictures coincide, and beyond them the last pixel goes on.
    """
    height, width = _two(new_dims, "new_dims")
    if min(height, width) < 1 or 0 in im.shape or im.ndim != 3:
        raise RoasteryError(f"cannot resize {list(im.shape)} to {height} x {width}")
    check_pixels(height, width)
    if interp_order not in (0, 1):
        raise RoasteryError(
            f"interp_order is {interp_order}", hint="0 (nearest pixel) and 1 (bilinear) are there"
        )
    return scale_picture(im, height, width, nearest=interp_order == 0)


def _two(sizes: Sequence[int] | np.ndarray, what: str) -> tuple[int, int]:
    """(height, width) from whatever a caller gave."""
    given = [int(n) for n in sizes]
    if len(given) != 2:
        raise RoasteryError(f"{what} is {given}; a height and a width were expected")
    return given[0], given[1]


def oversample(images: Iterable[np.ndarray], crop_dims: Sequence[int] | np.ndarray) -> np.ndarray:
    """Ten crops of each picture: the four corners, the centre, then the same mirrored."""
    images = list(images)
    height, width = _two(crop_dims, "crop_dims")
    tall, wide = images[0].shape[:2]
    if height > tall or width > wide:
        raise RoasteryError(f"crops of {height} x {width} from pictures of {tall} x {wide}")
    corners = [(y, x) for y in (0, tall - height) for x in (0, wide - width)]
    places = [*corners, (int(tall / 2.0 - height / 2.0), int(wide / 2.0 - width / 2.0))]
    crops = np.empty((10 * len(images), height, width, images[0].shape[-1]), np.float32)
    for n, image in enumerate(images):
        for k, (y, x) in enumerate(places):
            crop = image[y : y + height, x : x + width]
            crops[10 * n + k] = crop
            crops[10 * n + 5 + k] = crop[:, ::-1]
    return crops
