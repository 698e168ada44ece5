"""LaneData: pictures with the lanes of a road (MobileNet-YOLO). Its shapes are known; nothing reads
it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from ..config import Axis, OpenOptions
from .annotated_data import AnnotatedDataConfig

_LANES, _POINTS, _NUMBERS = 5, 64, 3


@dataclass(frozen=True, kw_only=True)
class LaneDataConfig(AnnotatedDataConfig):
    """LaneData: lanes as lines of points, and as masks."""

    kind = "LaneData"
    unread = True

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        points = (images[0], _LANES, _POINTS, _NUMBERS)
        return [points, (images[0], 1, *self.mask_size(images))]

    def open(self, options: OpenOptions) -> NoReturn:
        raise self.error(
            "LaneData is not read: the shapes of its tops are known, and no more",
            hint="take Input layers in its place and give a run what they hold, or HDF5Data",
        )
