"""The largest elements of rows, of each row as many as a tensor says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType

FARTHEST = 3.4028234663852886e38
"""The largest float32: what is farther away counts as it."""


@register
@dataclass(frozen=True)
class Largest(Op):
    """(x[R,K], counts i32[R]) -> i32[R,K]: 1 where one of the ``counts[r]`` largest of row r is.

    Of equal elements the first are taken. Infinities and what is beyond :data:`FARTHEST` count as
    it, or as less than 0 by as much, and NaN counts as it.
    """

    name = "largest"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, counts = inputs
        require(x.rank == 2 and x.dtype.is_float, f"rows of floats are expected, not {x}")
        require(not x.dtype.is_narrow, f"rows of {x.dtype}")
        rows = TensorType(x.shape[:1], I32)
        require(counts == rows, f"{counts} for {x}: one count a row")
        return (TensorType(x.shape, I32),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, counts = inputs
        chosen = np.zeros(x.shape, np.int32)
        length = x.shape[1]
        for row, count in enumerate(np.clip(counts, 0, length)):
            if count == 0:
                continue
            values = np.nan_to_num(x[row], nan=FARTHEST, posinf=FARTHEST, neginf=-FARTHEST)
            values = np.clip(values, -FARTHEST, FARTHEST)
            least = np.partition(values, length - count)[length - count]
            above = values > least
            chosen[row] = above
            equal = np.flatnonzero(values == least)
            chosen[row, equal[: count - np.count_nonzero(above)]] = 1
        return [chosen]
