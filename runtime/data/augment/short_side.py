"""Pictures whose shorter side gets a random length: Intel's way to resize.

intel/caffe: src/caffe/data_transformer.cpp (RandomResizeImage, ResizeImagePerShorterSize).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .settings import Block, ResizeConfig


@dataclass(frozen=True, kw_only=True)
class RandomResizeConfig(Block):
    """The shorter side gets ``min_size`` to ``max_size`` pixels; 0: the picture's shorter, or its
    longer side."""

    message = "RandomResizeParameter"

    min_size: int = 0
    max_size: int = 0
    resize_param: ResizeConfig | None = None


def random_resize_mistakes(random: RandomResizeConfig) -> Iterator[str]:
    """What can never be done."""
    if 0 < random.max_size < random.min_size:
        yield f"max_size {random.max_size} is below min_size {random.min_size}"


def drawn_short_side(
    random: RandomResizeConfig, height: int, width: int, word: int
) -> ResizeConfig:
    """The size that a random word gives to one picture, and how it gets it."""
    lower = random.min_size or min(height, width)
    upper = max(lower, random.max_size or max(height, width))
    side = lower + word % (upper - lower + 1)
    return with_short_side(random.resize_param or ResizeConfig(), height, width, side)


def with_short_side(resize: ResizeConfig, height: int, width: int, side: int) -> ResizeConfig:
    """A resize to a shorter side of ``side`` pixels that keeps the picture's form."""
    if height < width:
        wide = int(np.float32(width) / np.float32(height) * np.float32(side))
        return replace(resize, height=side, width=wide)
    high = int(np.float32(height) / np.float32(width) * np.float32(side))
    return replace(resize, height=high, width=side)
