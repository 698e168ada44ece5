"""Rows of DetectionOutput and the layers of YOLO."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .found import PictureObject

ROW = 7
"""Numbers of an object: image, class, score, x1, y1, x2, y2."""


def are_rows(shape: Sequence[int]) -> bool:
    """Whether an output of this shape is of such rows: (1, 1, D, 7)."""
    return len(shape) == 4 and (*shape[:2], shape[3]) == (1, 1, ROW)


def objects_in_rows(
    rows: np.ndarray, size: tuple[int, int], threshold: float
) -> list[PictureObject]:
    """Those with at least this score.

    Args:
        rows: (1, 1, D, 7); edges of boxes as parts of the picture.
        size: the picture's height and width.
    """
    height, width = size
    found = []
    for _, label, score, *box in rows.reshape(-1, ROW).tolist():
        if label < 0 or not score >= threshold:  # a row of -1: nothing was found
            continue
        x1, y1, x2, y2 = box
        edges = (x1 * width, y1 * height, x2 * width, y2 * height)
        found.append(PictureObject(int(label), score, edges))
    return found
