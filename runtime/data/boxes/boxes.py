"""Boxes as arrays, and what cropping and mirroring a picture does to them.

Everything is float32, as in weiliu89/caffe (src/caffe/util/bbox_util.cpp), and minima and maxima
are those of C++, which pass over NaNs in its way: thresholds decide the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

XMIN, YMIN, XMAX, YMAX = range(4)

_ZERO, _ONE = np.float32(0), np.float32(1)


def whole_picture() -> np.ndarray:
    """The window that holds all of a picture: (4,) float32."""
    return np.array([0, 0, 1, 1], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ObjectBoxes:
    """The boxes of one picture, n of them, in the order of their record.

    Attributes:
        corners: (n, 4) float32: xmin, ymin, xmax, ymax, in parts of the picture's width and height.
        labels, instances: (n,) int32.
        difficult: (n,) bool.
        sizes: (n,) float32: what a record says of their areas; NaN where it says nothing.
    """

    corners: np.ndarray
    labels: np.ndarray
    instances: np.ndarray
    difficult: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, which: np.ndarray) -> ObjectBoxes:
        """Those that a boolean array names."""
        return ObjectBoxes(
            self.corners[which],
            self.labels[which],
            self.instances[which],
            self.difficult[which],
            self.sizes[which],
        )

    def at(self, corners: np.ndarray, sizes: np.ndarray | None = None) -> ObjectBoxes:
        """The same objects in other places."""
        sizes = self.sizes if sizes is None else sizes
        return ObjectBoxes(corners, self.labels, self.instances, self.difficult, sizes)

    def areas(self) -> np.ndarray:
        """(n,) float32: the sizes, where they are told; 0 for boxes that are inside out."""
        corners = self.corners
        own = np.isnan(self.sizes)
        areas = np.where(own, areas_of(corners), self.sizes)
        return np.where(_inside_out(corners), _ZERO, areas)


def no_boxes() -> ObjectBoxes:
    """Not one."""
    return ObjectBoxes(
        np.empty((0, 4), np.float32),
        np.empty(0, np.int32),
        np.empty(0, np.int32),
        np.empty(0, np.bool_),
        np.empty(0, np.float32),
    )


def smaller_of(left: np.ndarray, right: np.ndarray | np.float32) -> np.ndarray:
    """std::min: the first of the two where one is NaN."""
    return np.where(right < left, right, left)


def larger_of(left: np.ndarray, right: np.ndarray | np.float32) -> np.ndarray:
    """std::max: the first of the two where one is NaN."""
    return np.where(left < right, right, left)


def clipped(corners: np.ndarray) -> np.ndarray:
    """Corners moved into the picture."""
    return larger_of(smaller_of(corners, _ONE), _ZERO)


def areas_of(corners: np.ndarray) -> np.ndarray:
    """Areas of (..., 4) corners; 0 for boxes that are inside out."""
    wide = corners[..., XMAX] - corners[..., XMIN]
    high = corners[..., YMAX] - corners[..., YMIN]
    return np.where(_inside_out(corners), _ZERO, wide * high)


def _inside_out(corners: np.ndarray) -> np.ndarray:
    flat: np.ndarray = corners[..., XMAX] < corners[..., XMIN]
    return flat | (corners[..., YMAX] < corners[..., YMIN])


def intersections(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """What (..., 4) corners have in common; zeros where that is nothing."""
    apart = (
        (right[..., XMIN] > left[..., XMAX])
        | (right[..., XMAX] < left[..., XMIN])
        | (right[..., YMIN] > left[..., YMAX])
        | (right[..., YMAX] < left[..., YMIN])
    )
    common = np.stack(
        [
            larger_of(left[..., XMIN], right[..., XMIN]),
            larger_of(left[..., YMIN], right[..., YMIN]),
            smaller_of(left[..., XMAX], right[..., XMAX]),
            smaller_of(left[..., YMAX], right[..., YMAX]),
        ],
        axis=-1,
    )
    return np.where(apart[..., np.newaxis], _ZERO, common)


def overlaps(windows: np.ndarray, boxes: ObjectBoxes) -> np.ndarray:
    """Jaccard overlaps, (windows, boxes) float32: common area over the area of both together."""
    common = intersections(windows[:, np.newaxis], boxes.corners[np.newaxis])
    wide = common[..., XMAX] - common[..., XMIN]
    high = common[..., YMAX] - common[..., YMIN]
    area = wide * high
    both = areas_of(windows)[:, np.newaxis] + boxes.areas()[np.newaxis] - area
    with np.errstate(all="ignore"):
        return np.where((wide > 0) & (high > 0), area / both, _ZERO)


def coverage_of_windows(windows: np.ndarray, boxes: ObjectBoxes) -> np.ndarray:
    """The part of each window that lies in each box: (windows, boxes) float32."""
    return _coverage(windows, areas_of(windows)[:, np.newaxis], boxes)


def coverage_of_boxes(windows: np.ndarray, boxes: ObjectBoxes) -> np.ndarray:
    """The part of each box that lies in each window: (windows, boxes) float32."""
    return _coverage(windows, boxes.areas()[np.newaxis], boxes)


def _coverage(windows: np.ndarray, of: np.ndarray, boxes: ObjectBoxes) -> np.ndarray:
    common = areas_of(intersections(windows[:, np.newaxis], boxes.corners[np.newaxis]))
    with np.errstate(all="ignore"):
        return np.where(common > 0, common / of, _ZERO)


def in_window(boxes: ObjectBoxes, window: np.ndarray) -> ObjectBoxes:
    """Boxes as parts of a window, clipped to it; those that have no area in it are left out."""
    corners = boxes.corners
    inside = ~(
        (corners[:, XMIN] >= window[XMAX])
        | (corners[:, XMAX] <= window[XMIN])
        | (corners[:, YMIN] >= window[YMAX])
        | (corners[:, YMAX] <= window[YMIN])
    )
    start = window[[XMIN, YMIN, XMIN, YMIN]]
    extent = window[[XMAX, YMAX, XMAX, YMAX]] - start
    with np.errstate(all="ignore"):
        moved = clipped((corners - start) / extent)
        areas = areas_of(moved)
    kept = inside & (areas > 0)
    return boxes.at(moved, areas).chosen(kept)


def mirrored(boxes: ObjectBoxes) -> ObjectBoxes:
    """Left and right exchanged."""
    x1, y1, x2, y2 = boxes.corners.T
    return boxes.at(np.stack([_ONE - x2, y1, _ONE - x1, y2], axis=1))
