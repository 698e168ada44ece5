"""Pictures of a random size and form: NVCaffe's way to resize.

NVIDIA/caffe: src/caffe/data_transformer.cpp (image_random_resize).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np

from .settings import ResizeConfig

Algorithm: TypeAlias = Literal["INTER_NEAREST", "INTER_LINEAR", "INTER_CUBIC", "INTER_AREA"]

WORDS = 5
_LARGEST = 1000
_FACTORS = ("rand_resize_ratio", "vertical_stretch", "horizontal_stretch")


class StretchSettings(Protocol):
    """What transform_param says of it; a number is None where it does not say it."""

    @property
    def crop_size(self) -> int: ...
    @property
    def img_rand_resize_lower(self) -> int: ...
    @property
    def img_rand_resize_upper(self) -> int: ...
    @property
    def rand_resize_ratio_lower(self) -> float | None: ...
    @property
    def rand_resize_ratio_upper(self) -> float | None: ...
    @property
    def vertical_stretch_lower(self) -> float | None: ...
    @property
    def vertical_stretch_upper(self) -> float | None: ...
    @property
    def horizontal_stretch_lower(self) -> float | None: ...
    @property
    def horizontal_stretch_upper(self) -> float | None: ...
    @property
    def interpolation_algo_down(self) -> Algorithm: ...
    @property
    def interpolation_algo_up(self) -> Algorithm: ...
    @property
    def allow_upscale(self) -> bool: ...


def is_stretched(settings: StretchSettings) -> bool:
    """Whether pictures are resized so: any of the numbers is given, be it without effect."""
    if settings.img_rand_resize_lower or settings.img_rand_resize_upper:
        return True
    return any(given is not None for name in _FACTORS for given in _given(settings, name))


def stretch_mistakes(settings: StretchSettings) -> Iterator[tuple[str, str]]:
    """What can never be done, and the setting that says it."""
    lower, upper = settings.img_rand_resize_lower, settings.img_rand_resize_upper
    if 0 < upper < lower:
        yield f"{upper} is below img_rand_resize_lower {lower}", "img_rand_resize_upper"
    for name in _FACTORS:
        for end, value in zip(("lower", "upper"), _given(settings, name), strict=True):
            if value is not None and not value <= _LARGEST:
                yield f"{name}_{end} is {value:g}; at most {_LARGEST} is possible", f"{name}_{end}"


def stretched(
    settings: StretchSettings, height: int, width: int, words: Sequence[int]
) -> ResizeConfig | None:
    """The size that `WORDS` random words give to one picture, and how it gets it; None where it
    stays.

    The shorter side gets a length; then, of the longer, its ratio to the shorter; then both are
    stretched. Nothing gets smaller than the crop, nor, without ``allow_upscale``, larger than it
    was.
    """
    side = min(height, width)
    lower, upper = settings.img_rand_resize_lower, settings.img_rand_resize_upper
    if lower > 0 and upper > 0:
        side = lower + words[0] % (upper - lower + 1)
    scale = np.float32(side) / np.float32(min(height, width))
    high, wide = scale * np.float32(height), scale * np.float32(width)
    first, last = _range(settings, "rand_resize_ratio", 0.0)
    if first >= 1 and last > 1:
        ratio = _between(first, last, words[1])
        if wide > high or (wide == high and words[2] % 2):
            wide = high * ratio
        else:
            high = wide * ratio
    high *= _factor(settings, "vertical_stretch", words[3])
    wide *= _factor(settings, "horizontal_stretch", words[4])
    new_height = _whole(settings, high, height)
    new_width = _whole(settings, wide, width)
    if (new_height, new_width) == (height, width):
        return None
    smaller = new_height <= height and new_width <= width
    algorithm = settings.interpolation_algo_down if smaller else settings.interpolation_algo_up
    mode = algorithm.removeprefix("INTER_")
    return ResizeConfig(height=new_height, width=new_width, interp_mode=(mode,))  # type: ignore[arg-type]


def _given(settings: StretchSettings, name: str) -> tuple[float | None, float | None]:
    return getattr(settings, f"{name}_lower"), getattr(settings, f"{name}_upper")


def _range(settings: StretchSettings, name: str, default: float) -> tuple[np.float32, np.float32]:
    lower, upper = _given(settings, name)
    return (
        np.float32(default if lower is None else lower),
        np.float32(default if upper is None else upper),
    )


def _factor(settings: StretchSettings, name: str, word: int) -> np.float32:
    first, last = _range(settings, name, 1.0)
    return _between(first, last, word) if first > 0 and last > 0 else np.float32(1)


def _between(first: np.float32, last: np.float32, word: int) -> np.float32:
    low, high = sorted((float(first), float(last)))
    return np.float32(low + (high - low) * word / 0xFFFFFFFF)


def _whole(settings: StretchSettings, extent: np.float32, before: int) -> int:
    """A new extent in pixels, of one that was ``before``."""
    size = max(settings.crop_size, int(np.floor(float(extent) + 0.5)))
    return size if settings.allow_upscale else min(size, before)
