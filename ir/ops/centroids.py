"""Centroids of labels that follow the rows that come, and how far away each row is of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RoasteryError
from ..op import Op, Property, register, require
from ..types import I32, TensorType


@register
@dataclass(frozen=True)
class MoveCentroids(Op):
    """(rows[N,D], labels[N] i32, centroids[L,D], seen[L]) -> (squared distances[N,L], centroids,
    seen).

    Row by row the centroid of its label moves, ``seen`` counts the row, and its distances are
    taken. The first row of a label makes its centroid, times the share that a row has just now;
    then it is the mean of what came, until ``many`` rows did; from then on a row counts the share.
    That is 1 / ``many`` at first, 1 / (1 + number of rows of the label) after each that was
    averaged, and is kept from label to label.

    Source: MyCaffe: MyCaffe.layers.beta/layers.beta/DecodeLayer.cs, AccuracyEncodingLayer.cs.
    """

    many: int
    name = "move_centroids"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        rows, labels, centroids, seen = inputs
        require(rows.rank == centroids.rank == 2, f"{rows} and {centroids}; rank 2 expected")
        require(rows.shape[1] == centroids.shape[1], f"{rows} and {centroids}")
        require(rows.dtype.is_float and centroids.dtype is rows.dtype, f"{rows} and {centroids}")
        require(seen == TensorType(centroids.shape[:1], rows.dtype), f"{seen} and {centroids}")
        require(labels == TensorType(rows.shape[:1], I32), f"{labels}: one i32 for each of {rows}")
        require(self.many >= 1, f"many is {self.many}")
        distances = TensorType((rows.shape[0], centroids.shape[0]), rows.dtype)
        return distances, centroids, seen

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        rows, labels = inputs[:2]
        centroids, seen = inputs[2].copy(), inputs[3].copy()
        _check(labels, len(centroids))
        distances = np.empty((len(rows), len(centroids)), rows.dtype)
        number = rows.dtype.type
        share = 1.0 / self.many
        for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
            before = seen[label] if seen[label] >= 1 else number(0)  # weights may hold NaN
            if before == 0:
                centroids[label] = row * number(share)
            else:
                if before < self.many:
                    share = 1.0 / (int(before) + 1)
                centroids[label] = row * number(share) + centroids[label] * number(1.0 - share)
            seen[label] = before + 1
            distances[i] = np.square(row - centroids).sum(axis=1)
        return [distances, centroids, seen]


def _check(labels: np.ndarray, count: int) -> None:
    stray = labels[(labels < 0) | (labels >= count)]
    if stray.size:
        raise RoasteryError(
            f"label {stray[0]}, where there are centroids of labels 0 to {count - 1}",
            hint="decode_param { pregen_label_count: ... } says how many labels there are",
        )
