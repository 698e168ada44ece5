"""Where the texts of boxes stand, so that they hide each other little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MOST = 400
"""Texts that later ones make way for: where there are more, nobody can read them."""


class LabelPlaces:
    """Places inside a picture, which are taken one after the other.

    Args:
        height, width: the picture's.
    """

    def __init__(self, height: int, width: int) -> None:
        self._height = height
        self._width = width
        self._taken: list[tuple[int, int, int, int]] = []

    def take(self, box: Sequence[int], height: int, width: int) -> tuple[int, int]:
        """The left upper corner of a text of this size.

        It is above the box if it fits there. Where it would hide others it goes inside the box,
        below it, to its right edge, or up or down along its left edge: to the first of these
        places that hides least.

        Args:
            box: x1, y1, x2, y2.
        """
        rows = np.array(self._rows(box, height), np.int64)
        columns = np.array([box[0], box[2] - width + 1], np.int64)
        columns = np.clip(columns, 0, max(self._width - width, 0))
        y, x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
        hidden = np.zeros(len(x), np.int64)
        for left, top, right, bottom in self._taken:
            wide = np.minimum(x + width, right) - np.maximum(x, left)
            high = np.minimum(y + height, bottom) - np.maximum(y, top)
            hidden += np.maximum(wide, 0) * np.maximum(high, 0)
        best = int(np.argmin(hidden))
        at = int(x[best]), int(y[best])
        if len(self._taken) < _MOST:
            self._taken.append((*at, at[0] + width, at[1] + height))
        return at

    def _rows(self, box: Sequence[int], height: int) -> list[int]:
        """Upper edges, the best ones first: they all lie in the picture, if it is high enough."""
        lowest = max(self._height - height, 0)
        first = min(max(box[1] - height, 0), lowest)
        at_box = [first, box[1] + 1, box[3] - height, box[3] + 1]
        away = sorted(range(0, lowest + 1, max(height, 1)), key=lambda row: abs(row - first))
        return [min(max(row, 0), lowest) for row in (*at_box, *away)]
