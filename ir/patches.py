"""What linear transforms of square patches of images are: parts of fast convolutions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Matrix = tuple[tuple[float, ...], ...]


class PatchTransform(NamedTuple):
    """``L patch L^T`` of each patch of a blob N x C x extents.

    One side of it is an image, whose patches begin ``step`` apart, ``pad`` before its edges; the
    other has every element of them in channels of its own, ``element * C + channel``, at the
    place that the patch has among all patches. Weights are images of one patch each; of them the
    channels of the result (axis 0) count so.

    Attributes:
        left: the matrix L.
        to_image: whether the results are patches of an image, else the operand's are.
        axis: that of the channels.
    """

    left: Matrix
    step: int
    pad: tuple[int, ...] = (0, 0)
    to_image: bool = False
    axis: int = 1

    @property
    def size(self) -> int:
        """Of the operand's patches, along either axis."""
        return len(self.left[0])


def transformed(left: Matrix, patches: np.ndarray) -> np.ndarray:
    """``L patch L^T`` of the last two axes: (..., t, t) -> (..., rows of L, rows of L)."""
    matrix = np.asarray(left, patches.dtype)
    return np.asarray(matrix @ patches @ matrix.T)
