"""Pictures at the size that resize_param names.

weiliu89/caffe: src/caffe/util/im_transforms.cpp.
"""

from __future__ import annotations

import math

import numpy as np

from ir.philox import uniform

from ..draws import INTERPOLATION, Draws
from ..image_codec import ImageError, channel_count, import_cv2
from ..image_limit import max_image_pixels
from .settings import Interpolation, ResizeConfig


def resized_size(resize: ResizeConfig, height: int, width: int) -> tuple[int, int]:
    """Height and width that a picture comes out with."""
    if resize.resize_mode != "FIT_SMALL_SIZE":
        return resize.height, resize.width
    aspect = np.float32(width) / np.float32(height)
    if aspect < np.float32(resize.width) / np.float32(resize.height):
        return int(np.float32(resize.width) / aspect), resize.width
    return resize.height, int(aspect * np.float32(resize.height))


def interpolation_for(resize: ResizeConfig, draws: Draws, number: int) -> Interpolation:
    """One of interp_mode for the picture with this number; LINEAR where none is given."""
    modes = resize.interp_mode
    if len(modes) < 2:
        return modes[0] if modes else "LINEAR"
    drawn = float(uniform(draws.lanes(INTERPOLATION, number, 1))[0])
    return modes[min(int(drawn * len(modes)), len(modes) - 1)]


def resize_picture(
    pixels: np.ndarray, resize: ResizeConfig, interpolation: Interpolation
) -> np.ndarray:
    """A (height, width) or (height, width, channels) picture at its new size.

    Raises ImageError where that is no size, or pad_value does not fit the channels.
    """
    cv2 = import_cv2()
    mode = {
        "LINEAR": cv2.INTER_LINEAR,
        "AREA": cv2.INTER_AREA,
        "NEAREST": cv2.INTER_NEAREST,
        "CUBIC": cv2.INTER_CUBIC,
        "LANCZOS4": cv2.INTER_LANCZOS4,
    }[interpolation]
    height, width = pixels.shape[:2]
    padding = _padding_value(resize, channel_count(pixels))
    new_height, new_width = resized_size(resize, height, width)
    if resize.resize_mode != "FIT_LARGE_SIZE_AND_PAD":
        return _resized(cv2, pixels, new_height, new_width, mode)
    aspect = np.float32(width) / np.float32(height)
    inner_height, inner_width = new_height, new_width
    if aspect > np.float32(new_width) / np.float32(new_height):
        inner_height = math.floor(np.float32(new_width) / aspect)
    else:
        inner_width = math.floor(aspect * np.float32(new_height))
    inner = _resized(cv2, pixels, inner_height, inner_width, mode)
    top, left = (new_height - inner_height) // 2, (new_width - inner_width) // 2
    border = {
        "CONSTANT": cv2.BORDER_CONSTANT,
        "MIRRORED": cv2.BORDER_REFLECT_101,
        "REPEAT_NEAREST": cv2.BORDER_REPLICATE,
    }[resize.pad_mode]
    padded: np.ndarray = cv2.copyMakeBorder(
        inner,
        top,
        new_height - inner_height - top,
        left,
        new_width - inner_width - left,
        border,
        value=padding,
    )
    return padded


def _resized(cv2: object, pixels: np.ndarray, height: int, width: int, mode: int) -> np.ndarray:
    if min(height, width) < 1 or height * width > max_image_pixels():
        raise ImageError(
            f"it is {pixels.shape[0]} high and {pixels.shape[1]} wide and cannot be resized to "
            f"{height} x {width} pixels (the limit is {max_image_pixels()})"
        )
    resized: np.ndarray = cv2.resize(pixels, (width, height), interpolation=mode)  # type: ignore[attr-defined]
    return resized


def _padding_value(resize: ResizeConfig, channels: int) -> tuple[float, ...]:
    values = resize.pad_value
    if not values:
        return (0.0,) * min(channels, 4)
    if len(values) not in (1, channels):
        raise ImageError(f"it has {channels} channels, and {len(values)} pad_value are given")
    return values * channels if len(values) == 1 else values
