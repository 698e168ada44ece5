"""Rows compared with stored ones: which class has the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RoasteryError
from ..op import Op, Property, register, require
from ..types import I32, TensorType


@register
@dataclass(frozen=True)
class NearestByClass(Op):
    """(rows[N,D], stored[M,D], classes[M] i32, count i32[1]) -> [N,outputs]: how near the
    classes of the first ``count`` stored rows are to each row.

    A class is as far from a row as the ``k`` nearest of its stored rows on average (0 or less: all
    of them); the nearest class gives 1, the farthest 0, those between their share of the way. They
    stand in the order of their numbers, without gaps: a class of which nothing is stored takes no
    column. Zeros where no row is stored; a class alone gives 1.

    Source: MyCaffe: MyCaffe.layers.beta/layers.beta/KnnLayer.cs, where a class alone gives NaN.
    """

    outputs: int
    k: int
    name = "nearest_by_class"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        rows, stored, classes, count = inputs
        require(rows.rank == stored.rank == 2, f"{rows} and {stored}; rank 2 expected")
        require(rows.shape[1] == stored.shape[1], f"{rows} and {stored}")
        require(rows.dtype.is_float and stored.dtype is rows.dtype, f"{rows} and {stored}")
        require(classes == TensorType(stored.shape[:1], I32), f"{classes}: one i32 for each stored")
        require(count == TensorType((1,), I32), f"{count} is no number of rows")
        require(self.outputs >= 1, f"{self.outputs} outputs")
        return (TensorType((rows.shape[0], self.outputs), rows.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        rows, stored, classes, count = inputs
        made = np.zeros(results[0].shape, rows.dtype)
        there = max(0, min(int(count[0]), len(stored)))
        names = np.unique(classes[:there])
        if len(names) > self.outputs:
            raise RoasteryError(
                f"{len(names)} classes are stored, where num_output is {self.outputs}",
                hint="num_output is the number of classes",
            )
        by_class = [np.flatnonzero(classes[:there] == name) for name in names]
        if not by_class:
            return [made]
        for i, row in enumerate(rows):
            distances = np.sqrt(np.square(stored[:there] - row).sum(axis=1))
            far = np.array([self._average(distances[own]) for own in by_class], rows.dtype)
            low, high = far.min(), far.max()
            shares = (far - low) / (high - low) if high > low else np.zeros_like(far)
            made[i, : len(far)] = 1.0 - shares
        return [made]

    def _average(self, distances: np.ndarray) -> float:
        nearest = np.sort(distances)
        taken = nearest[: self.k] if self.k > 0 else nearest
        return float(taken.mean())
