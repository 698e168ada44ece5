"""What resize_param does to boxes. weiliu89/caffe: im_transforms.cpp, bbox_util.cpp."""

from __future__ import annotations

import numpy as np

from ..augment.settings import ResizeConfig
from .boxes import XMAX, XMIN, YMAX, YMIN, ObjectBoxes, larger_of, smaller_of

_ZERO = np.float32(0)


def resized(boxes: ObjectBoxes, resize: ResizeConfig, height: int, width: int) -> ObjectBoxes:
    """Boxes of a (height, width) picture after it was resized, as parts of its new size."""
    new_height, new_width = np.float32(resize.height), np.float32(resize.width)
    old_height, old_width = np.float32(height), np.float32(width)
    aspect, new_aspect = old_width / old_height, new_width / new_height
    margin_x = margin_y = _ZERO
    if resize.resize_mode == "FIT_SMALL_SIZE":
        if aspect < new_aspect:
            new_height = new_width / aspect
        else:
            new_width = aspect * new_height
    elif resize.resize_mode == "FIT_LARGE_SIZE_AND_PAD":
        if aspect > new_aspect:
            margin_y = (new_height - new_width / aspect) / np.float32(2)
        else:
            margin_x = (new_width - aspect * new_height) / np.float32(2)
    padded_x = resize.resize_mode == "FIT_LARGE_SIZE_AND_PAD" and not aspect > new_aspect
    padded_y = resize.resize_mode == "FIT_LARGE_SIZE_AND_PAD" and not padded_x
    corners = boxes.corners
    with np.errstate(all="ignore"):
        xs = _along(corners[:, [XMIN, XMAX]], old_width, new_width, margin_x, padded_x)
        ys = _along(corners[:, [YMIN, YMAX]], old_height, new_height, margin_y, padded_y)
    return boxes.at(np.stack([xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]], axis=1))


def _along(
    ends: np.ndarray, old: np.float32, new: np.float32, margin: np.float32, padded: bool
) -> np.ndarray:
    """Both ends of boxes along one axis, (n, 2)."""
    pixels = ends * old
    room = new - np.float32(2) * margin if padded else new
    scaled = pixels * room / old
    low = larger_of(np.zeros_like(scaled[:, 0]), scaled[:, 0])
    high = smaller_of(np.full_like(scaled[:, 1], new), scaled[:, 1])
    if padded:
        low, high = margin + low, margin + high
    return np.stack([low, high], axis=1) / new


def rescaled(
    boxes: ObjectBoxes, resize: ResizeConfig, height: int, width: int, window: np.ndarray
) -> ObjectBoxes | str:
    """Boxes as parts of width_scale x height_scale pixels: FIT_SMALL_SIZE with both of them given.

    Args:
        height, width: of the picture before it was resized.
        window: what was cropped of the resized one.

    Returns what is wrong, where the crop is smaller than that.
    """
    scale_high, scale_wide = np.float32(resize.height_scale), np.float32(resize.width_scale)
    if resize.resize_mode != "FIT_SMALL_SIZE" or not (scale_high > 0 and scale_wide > 0):
        return boxes
    aspect = np.float32(width) / np.float32(height)
    high, wide = np.float32(resize.height), np.float32(resize.width)
    if aspect < wide / high:
        high = wide / aspect
    else:
        wide = high * aspect
    high = high * (window[YMAX] - window[YMIN])
    wide = wide * (window[XMAX] - window[XMIN])
    if not (wide >= scale_wide and high >= scale_high):
        return (
            f"height_scale is {resize.height_scale} and width_scale {resize.width_scale}, but a "
            f"picture comes out {high:g} high and {wide:g} wide"
        )
    x1, y1, x2, y2 = boxes.corners.T
    with np.errstate(all="ignore"):
        xs = [x * wide / scale_wide for x in (x1, x2)]
        ys = [y * high / scale_high for y in (y1, y2)]
    return boxes.at(np.stack([xs[0], ys[0], xs[1], ys[1]], axis=1))
