"""Means of intersection over union of each class, over pictures that have the class."""

from __future__ import annotations

import numpy as np


class ClassOverlaps:
    """Collects what SegmentationEvaluate tells of each picture: a number for each class.

    What is below 0 stands for a class that is not in the picture, and is left out
    (eric612/MobileNet-YOLO leaves out what comes after it: Solver::TestDetectionSeg).
    """

    def __init__(self) -> None:
        self._total = np.zeros(0, np.float32)
        self.counts = np.zeros(0, np.int64)
        """Of each class: how many pictures have it."""

    def add(self, found: np.ndarray) -> None:
        """The numbers of one more picture, (classes,)."""
        if len(found) > len(self._total):
            more = len(found) - len(self._total)
            self._total = np.pad(self._total, (0, more))
            self.counts = np.pad(self.counts, (0, more))
        there = np.flatnonzero(found >= 0)
        self._total[there] += found[there]
        self.counts[there] += 1

    def join(self, other: ClassOverlaps) -> None:
        """Take over the pictures of another one."""
        size = max(len(self._total), len(other._total))
        total, counts = np.zeros(size, np.float32), np.zeros(size, np.int64)
        for each in (self, other):
            total[: len(each._total)] += each._total
            counts[: len(each.counts)] += each.counts
        self._total, self.counts = total, counts

    @property
    def means(self) -> np.ndarray:
        """By class; 0 for one that no picture has."""
        made: np.ndarray = self._total / np.maximum(self.counts, 1)
        return made
