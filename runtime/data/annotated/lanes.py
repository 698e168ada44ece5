"""Lanes of a road: how records hold them, and what LaneData's tops say of them.

eric612/MobileNet-YOLO: src/caffe/proto/caffe.proto (AnnotatedDatum annotation_group 3;
AnnotationGroup annotation 2; Annotation lanes 3; LaneInfo x 1, y 2),
src/caffe/layers/lane_data_layer.cpp.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

import numpy as np

from roastery.wire.encoding import FIXED32
from roastery.wire.reader import WireReader

from ..boxes.boxes import ObjectBoxes
from ..boxes.tops import BoxTops
from ..image_codec import import_cv2
from ..source import Shape

LANE_SHAPE = (5, 64, 3)
"""The most lanes of a picture, the most points of a lane, and x, y and the lane's number."""

_WHITE = 255


def recorded_lanes(record: bytes | memoryview) -> list[np.ndarray]:
    """The lanes of a record, each (points, 2) float32: x and y in parts of the picture, the last
    point that is stored first. Raises WireError."""
    reader = WireReader(record)
    found = []
    for field in reader.fields():
        if field.number != 3:
            continue
        points = []
        for annotation in reader.inside(field):
            if annotation.number != 2:
                continue
            place = [0.0, 0.0]
            for lane in reader.inside(annotation):
                if lane.number != 3:
                    continue
                for number in reader.inside(lane):
                    if number.number in (1, 2) and number.wire_type == FIXED32:
                        assert not isinstance(number.value, int)
                        (place[number.number - 1],) = struct.unpack("<f", number.value[-4:])
            points.append(place)
        found.append(np.array(points[::-1], np.float32).reshape(-1, 2))
    return found


def within_window(lane: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Points in parts of a window of the picture."""
    with np.errstate(all="ignore"):
        moved: np.ndarray = (lane - window[:2]) / (window[2:] - window[:2])
    return moved


def points_inside(lane: np.ndarray) -> np.ndarray:
    """Which points are in the window."""
    inside: np.ndarray = np.all((lane >= 0) & (lane <= 1), axis=1)
    return inside


def write_lanes(lanes: Sequence[np.ndarray], top: np.ndarray) -> None:
    """Fill (5, 64, 3): points of lanes in parts of the window, and the number of the lane, or -1
    of a point that is not in it. Zeros stand where no point is."""
    top[...] = 0
    for number, lane in enumerate(lanes[: len(top)]):
        count = min(len(lane), top.shape[1])
        top[number, :count, :2] = lane[:count]
        top[number, :count, 2] = np.where(points_inside(lane[:count]), number, -1)


def drawn_lanes(lanes: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8: 255 on lines from each point in the window to the next one in it."""
    cv2 = import_cv2()
    image = np.zeros(size, np.uint8)
    extent = np.array([size[1], size[0]], np.float32)
    for lane in lanes:
        places = (lane[points_inside(lane)] * extent).astype(np.int32).tolist()
        for last, place in itertools.pairwise(places):
            cv2.line(image, tuple(place), tuple(last), _WHITE, 1)
    return image


class LaneRows(BoxTops):
    """(N, 5, 64, 3); `write_lanes` fills it, as boxes say nothing of lanes."""

    def shapes(self, records: int, boxes: int, size: tuple[int, int]) -> list[Shape]:
        return [(records, *LANE_SHAPE)]

    def write(self, found: Sequence[ObjectBoxes], tops: Sequence[np.ndarray]) -> None:
        tops[0][...] = 0
