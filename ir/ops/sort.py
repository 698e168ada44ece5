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

    Of equal elements the one with the larger index comes first, as Caffe's sort of
    (value, index) pairs orders them (src/caffe/layers/argmax_layer.cpp).
    """

    k: int
    name = "topk"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(x.rank >= 1 and 1 <= self.k <= x.shape[-1], f"{self.k} largest of {x.shape}")
        shape = (*x.shape[:-1], self.k)
        return (TensorType(shape, x.dtype), TensorType(shape, I32))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        ascending = np.argsort(x, axis=-1, kind="stable")
        places = ascending[..., ::-1][..., : self.k]
        values = np.take_along_axis(x, places, axis=-1)
        return [np.ascontiguousarray(values), places.astype(np.int32)]
