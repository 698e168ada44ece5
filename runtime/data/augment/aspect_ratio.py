"""A random part of a picture, of a random form, resized to the crop: Intel's way.

intel/caffe: src/caffe/data_transformer.cpp (RandomAlterAspectRatio).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..picture_part import PicturePart
from .settings import Block, ResizeConfig

WORDS_PER_ATTEMPT = 5
MAX_ATTEMPTS = 1000


@dataclass(frozen=True, kw_only=True)
class RandomAspectRatioConfig(Block):
    """The part has ``min_area_ratio`` to ``max_area_ratio`` of the picture's area and is, against a
    square, up to ``aspect_ratio_change`` times as high and as wide by its inverse, or the other way
    round. After ``max_attempt`` parts that do not fit, the whole picture's shorter side gets the
    crop's size."""

    message = "RandomAspectRatioParameter"

    min_area_ratio: float = 0.5
    max_area_ratio: float = 1.0
    aspect_ratio_change: float = 1.0
    max_attempt: int = 10
    resize_param: ResizeConfig | None = None


def aspect_ratio_mistakes(random: RandomAspectRatioConfig, crop_size: int) -> Iterator[str]:
    """What can never be done."""
    if crop_size < 1:
        yield "random_aspect_ratio_param needs a crop_size, to which parts are resized"
    if not 0 < random.min_area_ratio <= random.max_area_ratio < math.inf:
        yield (
            f"min_area_ratio is {random.min_area_ratio:g} and max_area_ratio "
            f"{random.max_area_ratio:g}; they are above 0, the second at least the first"
        )
    if not 0 < random.aspect_ratio_change <= 1:
        yield f"aspect_ratio_change is {random.aspect_ratio_change:g}; it is above 0 and at most 1"
    if random.max_attempt > MAX_ATTEMPTS:
        yield f"max_attempt is {random.max_attempt}; at most {MAX_ATTEMPTS} parts are tried"


def drawn_part(
    random: RandomAspectRatioConfig, height: int, width: int, words: Sequence[int]
) -> PicturePart | None:
    """The part of a picture that random words give; None where no attempt fits.

    Args:
        words: `WORDS_PER_ATTEMPT` for each of ``max_attempt``.
    """
    change = np.float32(random.aspect_ratio_change)
    lowest, highest = np.float32(random.min_area_ratio), np.float32(random.max_area_ratio)
    for begin in range(0, random.max_attempt * WORDS_PER_ATTEMPT, WORDS_PER_ATTEMPT):
        first, second, third, row, column = words[begin : begin + WORDS_PER_ATTEMPT]
        area = _between(lowest, highest, first) * np.float32(height * width)
        ratio = _between(change, np.float32(1) / change, second)
        side = np.sqrt(area)
        high, wide = int(side * ratio), int(side / ratio)
        if _between(np.float32(0), np.float32(1), third) < 0.5:
            high, wide = wide, high
        if 0 < high <= height and 0 < wide <= width:
            return PicturePart(row % (height - high + 1), column % (width - wide + 1), high, wide)
    return None


def to_crop(random: RandomAspectRatioConfig, crop_size: int) -> ResizeConfig:
    """How a part is resized."""
    return replace(random.resize_param or ResizeConfig(), height=crop_size, width=crop_size)


def _between(low: np.float32, high: np.float32, word: int) -> np.float32:
    """A number from ``low`` to ``high`` in thousandths."""
    steps = int((high - low) * np.float32(1000) + np.float32(1))
    return (np.float32(word % steps) + low * np.float32(1000)) / np.float32(1000)
