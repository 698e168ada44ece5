"""Pictures on larger canvases: expand_param. weiliu89/caffe: src/caffe/data_transformer.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ir.philox import uniform

from ..draws import EXPAND, Draws
from ..image_codec import ImageError, channel_count, import_cv2
from ..image_limit import max_image_pixels
from .settings import ExpandConfig

RAW_BACKGROUND = 32
"""What pixels beside a picture are when it was stored as pixels: weiliu89/caffe fills a text with
spaces."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A larger picture: its size, where the picture is on it, and the canvas as a window."""

    height: int
    width: int
    top: int
    left: int
    window: np.ndarray


def drawn_canvas(
    expand: ExpandConfig, height: int, width: int, draws: Draws, number: int
) -> Canvas | None:
    """The canvas for the (height, width) picture with this number; None: it stays as it is.

    Raises ImageError for one that is larger than the limit.
    """
    drawn = uniform(draws.lanes(EXPAND, number, 4))
    if drawn[0] > np.float32(expand.prob) or abs(expand.max_expand_ratio - 1) < 1e-2:
        return None
    ratio = np.float32(1) + drawn[1] * (np.float32(expand.max_expand_ratio) - np.float32(1))
    new_height, new_width = int(np.float32(height) * ratio), int(np.float32(width) * ratio)
    if new_height * new_width > max_image_pixels():
        raise ImageError(
            f"expanded it would be {new_height} x {new_width} pixels; "
            f"the limit is {max_image_pixels()}"
        )
    top = int(drawn[2] * np.float32(new_height - height))
    left = int(drawn[3] * np.float32(new_width - width))
    high, wide = np.float32(height), np.float32(width)
    window = np.array(
        [
            -np.float32(left) / wide,
            -np.float32(top) / high,
            np.float32(new_width - left) / wide,
            np.float32(new_height - top) / high,
        ],
        np.float32,
    )
    return Canvas(new_height, new_width, top, left, window)


def on_canvas(pixels: np.ndarray, canvas: Canvas, background: Sequence[float]) -> np.ndarray:
    """An 8-bit picture on its canvas; ``background`` is one value, one for each channel, or none.

    Raises ImageError for another number of values.
    """
    count = channel_count(pixels)
    if len(background) not in (0, 1, count):
        raise ImageError(f"it has {count} channels, and {len(background)} mean_value are given")
    fill = np.clip(np.rint(np.asarray(background or (0.0,), np.float32)), 0, 255)
    value = [float(fill[i % len(fill)]) for i in range(4)]
    cv2 = import_cv2()
    height, width = pixels.shape[:2]
    bottom, right = canvas.height - height - canvas.top, canvas.width - width - canvas.left
    out: np.ndarray = cv2.copyMakeBorder(
        pixels, canvas.top, bottom, canvas.left, right, cv2.BORDER_CONSTANT, value=value
    )
    return out
