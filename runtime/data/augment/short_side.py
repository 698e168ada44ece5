"""Pictures whose shorter side gets a random length: Intel's and NVCaffe's way to resize.

intel/caffe: src/caffe/data_transformer.cpp (RandomResizeImage); NVIDIA/caffe:
src/caffe/data_transformer.cpp (image_random_resize, without its ratios and stretches).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

import numpy as np

from ..draws import SHORT_SIDE, Draws
from .settings import Block, ResizeConfig

Algorithm: TypeAlias = Literal["INTER_NEAREST", "INTER_LINEAR", "INTER_CUBIC", "INTER_AREA"]


@dataclass(frozen=True, kw_only=True)
class RandomResizeConfig(Block):
    """Intel's: the shorter side gets ``min_size`` to ``max_size`` pixels; 0: the picture's shorter,
    or its longer side."""

    message = "RandomResizeParameter"

    min_size: int = 0
    max_size: int = 0
    resize_param: ResizeConfig | None = None


class ShortSideSettings(Protocol):
    """What a TransformConfig says of it."""

    @property
    def crop_size(self) -> int: ...
    @property
    def random_resize_param(self) -> RandomResizeConfig | None: ...
    @property
    def img_rand_resize_lower(self) -> int: ...
    @property
    def img_rand_resize_upper(self) -> int: ...
    @property
    def interpolation_algo_down(self) -> Algorithm: ...
    @property
    def interpolation_algo_up(self) -> Algorithm: ...
    @property
    def allow_upscale(self) -> bool: ...


def is_resized_by_short_side(settings: ShortSideSettings) -> bool:
    """Whether pictures are resized so; NVCaffe wants both of its numbers."""
    lower, upper = settings.img_rand_resize_lower, settings.img_rand_resize_upper
    return settings.random_resize_param is not None or (lower > 0 and upper > 0)


def short_side_mistakes(settings: ShortSideSettings) -> Iterator[tuple[str, str]]:
    """What can never be done, and the setting that says it."""
    random, lower = settings.random_resize_param, settings.img_rand_resize_lower
    upper = settings.img_rand_resize_upper
    if random is not None and 0 < random.max_size < random.min_size:
        yield (
            f"max_size {random.max_size} is below min_size {random.min_size}",
            "random_resize_param",
        )
    if 0 < upper < lower:
        yield f"{upper} is below img_rand_resize_lower {lower}", "img_rand_resize_upper"
    if random is not None and (lower or upper):
        yield "both random_resize_param and img_rand_resize_lower are given", "random_resize_param"


def short_side_resize(
    settings: ShortSideSettings, height: int, width: int, draws: Draws, number: int
) -> ResizeConfig | None:
    """The size of one picture, and how it gets it; None where it stays."""
    word = draws.word(SHORT_SIDE, number)
    if settings.random_resize_param is not None:
        return _intels(settings.random_resize_param, height, width, word)
    return _nvcaffes(settings, height, width, word)


def _intels(random: RandomResizeConfig, height: int, width: int, word: int) -> ResizeConfig:
    lower = random.min_size or min(height, width)
    upper = max(lower, random.max_size or max(height, width))
    side = lower + word % (upper - lower + 1)
    resize = random.resize_param or ResizeConfig()
    if height < width:
        wide = int(np.float32(width) / np.float32(height) * np.float32(side))
        return replace(resize, height=side, width=wide)
    high = int(np.float32(height) / np.float32(width) * np.float32(side))
    return replace(resize, height=high, width=side)


def _nvcaffes(
    settings: ShortSideSettings, height: int, width: int, word: int
) -> ResizeConfig | None:
    lower, upper = settings.img_rand_resize_lower, settings.img_rand_resize_upper
    side = lower + word % (upper - lower + 1)
    scale = np.float32(side) / np.float32(min(height, width))
    sizes = []
    for extent in (height, width):
        size = max(settings.crop_size, int(np.floor(scale * np.float32(extent) + 0.5)))
        sizes.append(size if settings.allow_upscale else min(size, extent))
    high, wide = sizes
    if (high, wide) == (height, width):
        return None
    smaller = high <= height and wide <= width
    algorithm = settings.interpolation_algo_down if smaller else settings.interpolation_algo_up
    mode = algorithm.removeprefix("INTER_")
    return ResizeConfig(height=high, width=wide, interp_mode=(mode,))  # type: ignore[arg-type]
