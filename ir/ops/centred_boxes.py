"""Boxes by their centre and size, as darknet has them, and how much they are one, in numpy.

Boxes are arrays whose first axis is (x, y, width, height); results have their other axes, which
broadcast. Source: eric612/MobileNet-YOLO: src/caffe/util/bbox_util.cpp.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

KINDS = ("IOU", "GIOU", "MSE", "DIOU", "CIOU")

Likeness = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _shared(a: np.ndarray, c: np.ndarray, axis: int) -> np.ndarray:
    """The length that both have in common along an axis; less than 0: how far they are apart."""
    low = np.maximum(a[axis] - a[axis + 2] / 2, c[axis] - c[axis + 2] / 2)
    high: np.ndarray = np.minimum(a[axis] + a[axis + 2] / 2, c[axis] + c[axis + 2] / 2)
    return high - low


def _around(a: np.ndarray, c: np.ndarray, axis: int) -> np.ndarray:
    """The length of both together with what is between them."""
    low = np.minimum(a[axis] - a[axis + 2] / 2, c[axis] - c[axis + 2] / 2)
    high: np.ndarray = np.maximum(a[axis] + a[axis + 2] / 2, c[axis] + c[axis + 2] / 2)
    return high - low


def _parts(a: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The areas in common and of both together."""
    width, height = _shared(a, c, 0), _shared(a, c, 1)
    common = np.where((width < 0) | (height < 0), 0, width * height)
    return common, a[2] * a[3] + c[2] * c[3] - common


def iou(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Intersection over union; NaN of two boxes without area."""
    common, union = _parts(a, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = common / union
    return found


def giou(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Less the share of the box around both that is neither."""
    around = _around(a, c, 0) * _around(a, c, 1)
    _, union = _parts(a, c)
    found = iou(a, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        less: np.ndarray = found - (around - union) / around
    return np.where(around == 0, found, less)


def _distance(a: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squares: of the distance of the centres, of the diagonal of the box around both."""
    apart = (a[0] - c[0]) ** 2 + (a[1] - c[1]) ** 2
    return apart, _around(a, c, 0) ** 2 + _around(a, c, 1) ** 2


def diou(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Less the distance of the centres in diagonals of the box around both, to a power."""
    apart, diagonal = _distance(a, c)
    found = iou(a, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        less: np.ndarray = found - (apart / diagonal) ** 0.6
    return np.where(diagonal == 0, found, less)


def shape_loss(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """By how much the shapes of two boxes differ: of their angles."""
    with np.errstate(divide="ignore", invalid="ignore"):
        away: np.ndarray = np.arctan(c[2] / c[3]) - np.arctan(a[2] / a[3])
    return 4 / np.pi**2 * away * away


def ciou(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Less the distance of the centres, and the difference of shapes."""
    apart, diagonal = _distance(a, c)
    found, shape = iou(a, c), shape_loss(a, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = shape / (1 - found + shape + 0.000001)
        less: np.ndarray = found - (apart / diagonal + share * shape)
    return np.where(diagonal == 0, found, less)


def likeness(kind: str) -> Likeness:
    """How much two boxes are one, by one of :data:`KINDS`."""
    return {"GIOU": giou, "DIOU": diou, "CIOU": ciou}.get(kind, iou)
