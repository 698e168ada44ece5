"""What noise_param does to pictures.

weiliu89/caffe: src/caffe/util/im_transforms.cpp, ApplyNoise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..draws import SALT_PEPPER, Draws
from ..image_codec import ImageError, channel_count, decode_image, encode_image, import_cv2
from .settings import NoiseConfig, SaltPepperConfig

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
"""OpenCV's ellipse of 3 x 3 pixels."""

_POSTERS = (np.arange(256) // 64 * 64 + 32).astype(np.uint8)
_NEEDS_COLOUR = ("decolorize", "convert_to_hsv", "convert_to_lab")


def noise_mistake(noise: NoiseConfig) -> tuple[str, str] | None:
    """What cannot be done whatever the picture, and what would be right."""
    if noise.saltpepper and not (noise.saltpepper_param or SaltPepperConfig()).value:
        return (
            "saltpepper is set, but saltpepper_param has no value",
            "give the value that pixels get: saltpepper_param { fraction: 0.01 value: 255 }",
        )
    if noise.saltpepper_param and not 0 <= noise.saltpepper_param.fraction <= 1:
        return f"fraction is {noise.saltpepper_param.fraction:g}", "0 to 1: a part of the pixels"
    if int(noise.jpeg) > 100:
        return f"jpeg is {noise.jpeg:g}", "a quality from 1 to 100"
    return None


def add_noise(pixels: np.ndarray, noise: NoiseConfig, draws: Draws, number: int) -> np.ndarray:
    """A changed copy of an 8-bit (height, width) or (height, width, 3) picture.

    convert_to_lab gives float32, in the units of Lab (weiliu89/caffe goes on with the bytes of
    these floats). Raises ImageError where the picture has not the channels for it.
    """
    cv2 = import_cv2()
    channels = channel_count(pixels)
    for name in _NEEDS_COLOUR:
        if getattr(noise, name) and channels != 3:
            raise ImageError(f"it has {channels} channels, and {name} needs 3")
    if (noise.hist_eq or noise.clahe) and channels not in (1, 3):
        name = "hist_eq" if noise.hist_eq else "clahe"
        raise ImageError(f"it has {channels} channels, and {name} needs 1 or 3")
    if noise.decolorize:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if noise.gauss_blur:
        pixels = cv2.GaussianBlur(pixels, (7, 7), 1.5)
    if noise.hist_eq:
        pixels = _on_brightness(cv2, pixels, cv2.equalizeHist)
    if noise.clahe:
        pixels = _on_brightness(cv2, pixels, cv2.createCLAHE(clipLimit=4).apply)
    if int(noise.jpeg) > 0:
        data = encode_image(pixels, "jpg", quality=int(noise.jpeg))
        pixels = decode_image(data, "gray" if channels == 1 else "color")
    if noise.erode:
        pixels = cv2.erode(pixels, _CROSS)
    if noise.posterize:
        pixels = _POSTERS[pixels]
    if noise.inverse:
        pixels = ~pixels
    if noise.saltpepper_param:
        pixels = _salted(pixels, noise, draws, number)
    if noise.convert_to_hsv:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    if noise.convert_to_lab:
        pixels = cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_BGR2Lab)
    return pixels


def _on_brightness(cv2: Any, pixels: np.ndarray, change: Any) -> np.ndarray:
    """Change a gray picture, or the brightness of one in colour."""
    if channel_count(pixels) == 1:
        changed: np.ndarray = change(pixels)
        return changed
    parted = cv2.cvtColor(pixels, cv2.COLOR_BGR2YCrCb)
    parted[..., 0] = change(np.ascontiguousarray(parted[..., 0]))
    joined: np.ndarray = cv2.cvtColor(parted, cv2.COLOR_YCrCb2BGR)
    return joined


def _salted(pixels: np.ndarray, noise: NoiseConfig, draws: Draws, number: int) -> np.ndarray:
    """``fraction`` of the pixels, drawn one by one, get ``value``."""
    salt = noise.saltpepper_param
    assert salt is not None
    channels = channel_count(pixels)
    if salt.value and len(salt.value) not in (1, channels):
        raise ImageError(
            f"it has {channels} channels, and saltpepper_param has {len(salt.value)} values"
        )
    height, width = pixels.shape[:2]
    count = math.floor(np.float32(salt.fraction) * np.float32(width) * np.float32(height))
    if not noise.saltpepper or not count:
        return pixels
    value = np.clip(np.nan_to_num(np.asarray(salt.value)), 0, 255).astype(np.uint8)
    words = draws.lanes(SALT_PEPPER, number, 2 * count).astype(np.int64)
    salted = pixels.copy()
    salted[words[1::2] % height, words[::2] % width] = value if salted.ndim == 3 else value[0]
    return salted
