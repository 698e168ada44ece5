"""How good detections are: their average precision.

Source: weiliu89/caffe, ssd: src/caffe/util/bbox_util.cpp (ComputeAP), src/caffe/solver.cpp
(TestDetection).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

WIDTH = 5
"""Numbers of a row of DetectionEvaluate: image, label, score, right, wrong."""

_STEP = np.float32(1e-6)
"""Recall that changes by less does not change."""


def average_precision(scores: np.ndarray, right: np.ndarray, number: int, version: str) -> float:
    """The area under the curve of precision over recall, float32.

    Args:
        scores, right: of each detection its score, and whether it is right.
        number: how many objects there are.
        version: one of :data:`VERSIONS`.
    """
    if not len(scores) or not number:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(right[order])
    precision = found.astype(np.float32) / np.arange(1, len(found) + 1, dtype=np.float32)
    recall = found.astype(np.float32) / np.float32(number)
    return float(VERSIONS[version](precision, recall))


def _eleven_points(precision: np.ndarray, recall: np.ndarray) -> np.float32:
    """The mean of the best precisions from each recall 0, 0.1 ... 1 on (VOC 2007)."""
    total = np.float32(0)
    for j in range(10, -1, -1):
        beyond = precision[recall.astype(np.float64) >= j / 10.0]
        total += (beyond.max() if len(beyond) else np.float32(0)) / np.float32(11)
    return total


def _largest_integral(precision: np.ndarray, recall: np.ndarray) -> np.float32:
    """Of the best precision from each recall on (VOC 2012, ILSVRC)."""
    total, last_recall, best = np.float32(0), recall[-1], precision[-1]
    for here, now in zip(precision[-2::-1], recall[-2::-1], strict=True):
        best = max(best, here)
        if abs(last_recall - now) > _STEP:
            total += best * abs(last_recall - now)
        last_recall = now
    return np.float32(total + last_recall * best)


def _integral(precision: np.ndarray, recall: np.ndarray) -> np.float32:
    """Of the precision as it is."""
    total, last_recall = np.float32(0), np.float32(0)
    for here, now in zip(precision, recall, strict=True):
        if abs(now - last_recall) > _STEP:
            total += here * abs(now - last_recall)
        last_recall = now
    return total


VERSIONS: MappingProxyType[str, Callable[[np.ndarray, np.ndarray], np.float32]] = MappingProxyType(
    {"11point": _eleven_points, "MaxIntegral": _largest_integral, "Integral": _integral}
)
"""What a solver's ``ap_version`` may be."""


@dataclass
class DetectionScores:
    """Rows of DetectionEvaluate over the batches of a test."""

    numbers: dict[int, int] = field(default_factory=dict)
    _rows: list[np.ndarray] = field(default_factory=list)

    def add(self, rows: np.ndarray) -> None:
        """The rows (D, 5) of one more batch."""
        of_labels = rows[:, 0].astype(np.int64) == -1
        for _, label, number, *_ in rows[of_labels]:
            self.numbers[int(label)] = self.numbers.get(int(label), 0) + int(number)
        found = rows[~of_labels]
        # Neither right nor wrong: what found a difficult object, where these do not count.
        self._rows.append(found[(found[:, 3:].astype(np.int64) != 0).any(axis=1)])

    def join(self, other: DetectionScores) -> None:
        """Take over the batches of another one."""
        for label, number in other.numbers.items():
            self.numbers[label] = self.numbers.get(label, 0) + number
        self._rows += other._rows

    def precisions(self, version: str) -> dict[int, float | None]:
        """By label, ascending: its average precision; None where nothing was detected."""
        rows = np.concatenate([np.zeros((0, WIDTH), np.float32), *self._rows])
        labels = rows[:, 1].astype(np.int64)
        made: dict[int, float | None] = {}
        for label in sorted(self.numbers):
            mine = rows[labels == label]
            right = mine[:, 3].astype(np.int64)
            made[label] = (
                average_precision(mine[:, 2], right, self.numbers[label], version)
                if len(mine)
                else None
            )
        return made


def mean_precision(precisions: dict[int, float | None]) -> float:
    """Over all labels; those without detections count as 0."""
    total = np.float32(0)
    for value in precisions.values():
        total += np.float32(value or 0.0)
    return float(total / np.float32(len(precisions))) if precisions else 0.0
