"""The k largest elements along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType


@register
@dataclass(frozen=True)
class TopK(Op):
    """The ``k`` largest along the last axis, descending, and their indices (i32).

    Of equal elements the one with the larger index comes first (``tie`` is ``last``), as Caffe's
    sort of (value, index) pairs orders them (src/caffe/layers/argmax_layer.cpp); or that with the
    smaller one (``first``), as a stable sort does. NaN counts as the largest.
    """

    k: int
    tie: str = "last"
    name = "topk"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(self.tie in ("first", "last"), f"unknown tie {self.tie!r}")
        require(x.rank >= 1 and 1 <= self.k <= x.shape[-1], f"{self.k} largest of {x.shape}")
        shape = (*x.shape[:-1], self.k)
        return (TensorType(shape, x.dtype), TensorType(shape, I32))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        if self.tie == "first":  # the same order, met from the other end
            x = np.flip(x, -1)
        places = np.argsort(x, axis=-1, kind="stable")[..., ::-1][..., : self.k]
        values = np.take_along_axis(x, places, axis=-1)
        if self.tie == "first":
            places = x.shape[-1] - 1 - places
        return [np.ascontiguousarray(values), places.astype(np.int32)]
