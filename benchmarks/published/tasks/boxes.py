"""Boxes as rows of x1, y1, x2, y2 and a score, best first."""

from __future__ import annotations

import numpy as np


def overlaps(box: np.ndarray, others: np.ndarray, of_smaller: bool = False) -> np.ndarray:
    """Of one box with others: the intersection over the union, or over the smaller one."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:4], others[:, 2:4])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    mine, areas = np.prod(box[2:4] - box[:2]), np.prod(others[:, 2:4] - others[:, :2], axis=1)
    if of_smaller:
        return shared / np.minimum(mine, areas)
    return shared / (mine + areas - shared)


def kept(rows: np.ndarray, threshold: float, of_smaller: bool = False) -> np.ndarray:
    """The numbers of the rows that stay, best first: none overlaps a better one by more."""
    left = np.argsort(-rows[:, 4], kind="stable")
    found = []
    while left.size:
        best, left = left[0], left[1:]
        found.append(best)
        left = left[overlaps(rows[best], rows[left], of_smaller) <= threshold]
    return np.array(found, int)
