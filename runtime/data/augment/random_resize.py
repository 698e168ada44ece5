"""Forks' random sizes of pictures: which of them a layer asks for, and what it draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..draws import SHORT_SIDE, Draws
from ..picture_part import PicturePart
from .aspect_ratio import (
    WORDS_PER_ATTEMPT,
    RandomAspectRatioConfig,
    aspect_ratio_mistakes,
    drawn_part,
    to_crop,
)
from .settings import ResizeConfig
from .short_side import (
    RandomResizeConfig,
    drawn_short_side,
    random_resize_mistakes,
    with_short_side,
)
from .stretch import WORDS, StretchSettings, is_stretched, stretch_mistakes, stretched


class RandomResizeSettings(StretchSettings, Protocol):
    """What a TransformConfig says of it."""

    @property
    def random_resize_param(self) -> RandomResizeConfig | None: ...
    @property
    def random_aspect_ratio_param(self) -> RandomAspectRatioConfig | None: ...


@dataclass(frozen=True)
class Resizing:
    """What is done to one picture: ``part`` of it, or all, is resized, or stays as it is."""

    part: PicturePart | None = None
    resize: ResizeConfig | None = None


def is_resized_at_random(settings: RandomResizeSettings) -> bool:
    """Whether every picture gets a size of its own."""
    intels = settings.random_resize_param, settings.random_aspect_ratio_param
    return any(block is not None for block in intels) or is_stretched(settings)


def random_size_mistakes(settings: RandomResizeSettings) -> Iterator[tuple[str, str]]:
    """What can never be done, and the setting that says it."""
    random, aspect = settings.random_resize_param, settings.random_aspect_ratio_param
    if random is not None:
        for text in random_resize_mistakes(random):
            yield text, "random_resize_param"
    if aspect is not None:
        for text in aspect_ratio_mistakes(aspect, settings.crop_size):
            yield text, "random_aspect_ratio_param"
    yield from stretch_mistakes(settings)
    for name in ("random_resize_param", "random_aspect_ratio_param"):
        if getattr(settings, name) is not None and is_stretched(settings):
            yield f"{name} is Intel's; numbers of NVCaffe's are given, too", name


def drawn_resizing(
    settings: RandomResizeSettings, height: int, width: int, draws: Draws, number: int
) -> Resizing:
    """What is done to the picture with this number.

    With both of Intel's blocks the first counts, as there.
    """
    random, aspect = settings.random_resize_param, settings.random_aspect_ratio_param
    if random is not None:
        word = draws.word(SHORT_SIDE, number)
        return Resizing(resize=drawn_short_side(random, height, width, word))
    if aspect is None:
        words = draws.lanes(SHORT_SIDE, number, WORDS).tolist()
        return Resizing(resize=stretched(settings, height, width, words))
    words = draws.lanes(SHORT_SIDE, number, aspect.max_attempt * WORDS_PER_ATTEMPT).tolist()
    part = drawn_part(aspect, height, width, words)
    resize = to_crop(aspect, settings.crop_size)
    if part is None:
        resize = with_short_side(resize, height, width, settings.crop_size)
    return Resizing(part, resize)
