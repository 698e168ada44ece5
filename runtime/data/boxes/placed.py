"""What putting a picture on a square does to its boxes.

foss-for-synopsys-dwc-arc-processors/synopsys-caffe: src/caffe/data_transformer.cpp, Transform_Yolo.
"""

from __future__ import annotations

import numpy as np

from ..augment.placing import SquarePlace
from .boxes import XMAX, XMIN, YMAX, YMIN, ObjectBoxes, clipped, mirrored

_LEAST = np.float32(0.001)


def placed(boxes: ObjectBoxes, placement: SquarePlace) -> ObjectBoxes:
    """Boxes as parts of the square; those that are nearly nothing are left out.

    The fork leaves out all boxes of a label, too, where the last of them is nearly nothing.
    """
    side = np.float32(placement.side)
    factors = np.array([placement.wide, placement.high] * 2, np.float32) / side
    start = np.array([placement.left, placement.top] * 2, np.float32) / side
    with np.errstate(all="ignore"):
        moved = boxes.at(boxes.corners * factors + start)
        if placement.mirrored:
            moved = mirrored(moved)
        corners = clipped(moved.corners)
        wide, high = corners[:, XMAX] - corners[:, XMIN], corners[:, YMAX] - corners[:, YMIN]
    return moved.at(corners).chosen((wide >= _LEAST) & (high >= _LEAST))
