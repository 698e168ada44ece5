"""LaneData: pictures with the lanes of a road (MobileNet-YOLO)."""

from __future__ import annotations

from dataclasses import dataclass

from ..annotated.lane_source import LaneSource
from ..annotated.lanes import LANE_SHAPE
from ..annotated.settings import DEFAULT_JITTER, AnnotatedSettings
from ..config import Axis, OpenOptions


@dataclass(frozen=True, kw_only=True)
class LaneDataConfig(AnnotatedSettings):
    """LaneData: lanes as lines of points, and as one mask, of an LMDB or LevelDB.

    ``yolo_data_type`` 1 crops pictures by ``yolo_data_jitter`` where there is no
    ``batch_sampler``.
    """

    kind = "LaneData"

    @property
    def jitter(self) -> float:
        if self.batch_sampler or self.yolo_data_type != 1:
            return 0.0
        return DEFAULT_JITTER if self.yolo_data_jitter is None else self.yolo_data_jitter

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        return [(images[0], *LANE_SHAPE), (images[0], 1, *self.mask_size(images))]

    def open(self, options: OpenOptions) -> LaneSource:
        return LaneSource(self, options)
