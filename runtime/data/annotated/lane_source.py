"""Batches of pictures with the lanes of a road.

eric612/MobileNet-YOLO: src/caffe/layers/lane_data_layer.cpp.
"""

from __future__ import annotations

import numpy as np

from roastery.wire.encoding import WireError

from ..annotated_datum import BBOX, BBOX_AND_SEG, LANE, AnnotatedDatum
from ..boxes.boxes import clipped, no_boxes, whole_picture
from ..boxes.tops import BoxTops
from ..config import OpenOptions
from ..database import Record
from ..planned import Allocate
from ..record_source import RecordBatch
from ..transform import Choices
from .arranged import ArrangedPicture
from .lanes import LaneRows, drawn_lanes, recorded_lanes, within_window, write_lanes
from .masks import PixelMasks, mask_size
from .source import AnnotatedSource


class LaneSource(AnnotatedSource):
    """Pictures as AnnotatedData's, what is cut from them, and the points and the masks of lanes."""

    annotation_types = (BBOX, BBOX_AND_SEG, LANE)

    def box_tops(self) -> BoxTops:
        return LaneRows()

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        arrays = super().load(work, allocate)
        if len(arrays) > 1:
            for index, record in enumerate(work.records):
                number = work.numbers[index]
                size = self.transformer.size_of(number)
                window = self._arranging.window(no_boxes(), size, number)
                write_lanes(self._lanes(record, window), arrays[1][index])
        return arrays

    def _parse(self, record: Record) -> AnnotatedDatum:
        found = super()._parse(record)
        if found.type is None:
            found.type = LANE
        found.boxes = no_boxes()
        return found

    def _mask(
        self,
        annotated: AnnotatedDatum,
        record: Record,
        arranged: ArrangedPicture,
        choices: Choices,
        index: int,
        size: tuple[int, int],
    ) -> np.ndarray:
        image = drawn_lanes(self._lanes(record, arranged.window), mask_size(self.config, size))
        if choices.mirror is not None and choices.mirror[index]:
            image = image[:, ::-1]
        mask: np.ndarray = (image[np.newaxis] > 0).astype(np.float32)
        return mask

    def _pixel_masks(self, options: OpenOptions) -> PixelMasks:
        return PixelMasks()

    def _lanes(self, record: Record, window: np.ndarray | None) -> list[np.ndarray]:
        """The lanes of a record in a window of its picture."""
        try:
            lanes = recorded_lanes(self.read(record))
        except WireError as error:
            raise self.unreadable(record, f"is not an AnnotatedDatum: {error}") from error
        part = whole_picture() if window is None else clipped(window)
        return [within_window(lane, part) for lane in lanes]
