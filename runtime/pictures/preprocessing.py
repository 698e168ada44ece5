"""How a picture becomes what a net was trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .scaling import scale_picture

LARGEST_SIDE = 1 << 16
"""Pixels that a picture may be scaled to."""


@dataclass(frozen=True)
class Preprocessing:
    """From pictures to one input of a net; the defaults are what Caffe's nets want.

    In this order: a picture is scaled to ``image_size``, or to the input's size where that is not
    given; the middle of it that is as large as the input is taken; channels come first, and in the
    order ``channel_swap``; values, which are in [0, 1], are multiplied by ``raw_scale``; the mean
    is subtracted; then values are multiplied by ``input_scale``. Caffe: python/caffe/io.py
    (Transformer), python/caffe/classifier.py.

    Attributes:
        input: the input's name.
        image_size: (height, width), at least the input's.
        channel_swap: (2, 1, 0) makes blue, green, red of red, green, blue; empty: as they are.
        mean: a value for each channel of the input, in its order.
        mean_image: (channels, height, width) of the input instead, float32.
    """

    input: str
    image_size: tuple[int, int] | None = None
    channel_swap: tuple[int, ...] = (2, 1, 0)
    raw_scale: float = 255.0
    mean: tuple[float, ...] = ()
    input_scale: float = 1.0
    mean_image: np.ndarray | None = None

    def check(self, shape: Sequence[int]) -> None:
        """Raises ValueError where it does not fit an input of this (N, channels, height, width)."""
        if len(shape) != 4:
            raise ValueError(f"'{self.input}' has shape {list(shape)}; pictures want four axes")
        _, channels, height, width = shape
        if channels not in (1, 3):
            raise ValueError(f"'{self.input}' has {channels} channels; pictures have 1 or 3")
        if self.image_size is not None and not (
            self.image_size[0] >= height and self.image_size[1] >= width
        ):
            raise ValueError(
                f"pictures of {self.image_size[0]} x {self.image_size[1]} are smaller than "
                f"'{self.input}', {height} x {width}"
            )
        if self.image_size is not None and max(self.image_size) > LARGEST_SIDE:
            raise ValueError(
                f"pictures are scaled to {self.image_size[0]} x {self.image_size[1]}; "
                f"{LARGEST_SIDE} pixels a side are the limit"
            )
        if self.channel_swap and sorted(self.channel_swap) != list(range(channels)):
            raise ValueError(
                f"channel_swap {list(self.channel_swap)} is no order of {channels} channel(s)"
            )
        if self.mean and len(self.mean) != channels:
            raise ValueError(f"the mean has {len(self.mean)} values for {channels} channel(s)")
        image = self.mean_image
        if image is not None and (self.mean or image.shape != (channels, height, width)):
            raise ValueError(
                f"the mean image is {list(image.shape)}, '{self.input}' {list(shape[1:])}"
            )
        numbers = (self.raw_scale, self.input_scale, *self.mean)
        if not all(map(math.isfinite, numbers)):
            raise ValueError("a scale or a mean is no finite number")

    def apply(self, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The input's (channels, height, width) values, float32.

        Args:
            picture: (height, width, channels) in [0, 1]: red, green, blue, or gray.
            size: the input's height and width.
        """
        height, width = size
        tall, wide = self.image_size or size
        top, left = int(tall / 2.0 - height / 2.0), int(wide / 2.0 - width / 2.0)
        rows, columns = range(top, top + height), range(left, left + width)
        middle = scale_picture(picture, tall, wide, rows=rows, columns=columns)
        values = middle.transpose(2, 0, 1)
        values = values[list(self.channel_swap)] if self.channel_swap else values
        values = values * np.float32(self.raw_scale)
        if self.mean_image is not None:
            values -= self.mean_image
        elif self.mean:
            values -= np.array(self.mean, np.float32)[:, np.newaxis, np.newaxis]
        if self.input_scale != 1:
            values *= np.float32(self.input_scale)
        return np.ascontiguousarray(values)
