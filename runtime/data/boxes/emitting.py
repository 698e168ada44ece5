"""Which boxes are kept of a cropped picture: emit_constraint. weiliu89/caffe: bbox_util.cpp."""

from __future__ import annotations

import numpy as np

from ..augment.settings import EmitConfig
from .boxes import XMAX, XMIN, YMAX, YMIN, ObjectBoxes, coverage_of_boxes, in_window


def emitted(boxes: ObjectBoxes, window: np.ndarray, constraint: EmitConfig | None) -> ObjectBoxes:
    """The boxes of a window, as parts of it: those that meet the constraint and have area in it."""
    if constraint is not None and len(boxes):
        boxes = boxes.chosen(_meets(boxes, window, constraint))
    return in_window(boxes, window)


def _meets(boxes: ObjectBoxes, window: np.ndarray, constraint: EmitConfig) -> np.ndarray:
    if constraint.emit_type == "MIN_OVERLAP":
        covered = coverage_of_boxes(window[np.newaxis], boxes)[0]
        return covered > np.float32(constraint.emit_overlap)
    corners = boxes.corners
    with np.errstate(all="ignore"):
        x = (corners[:, XMIN] + corners[:, XMAX]) / np.float32(2)
        y = (corners[:, YMIN] + corners[:, YMAX]) / np.float32(2)
    inside: np.ndarray = (x >= window[XMIN]) & (x <= window[XMAX])
    return inside & (y >= window[YMIN]) & (y <= window[YMAX])
