"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, Property, register, require, require_factors
from ..types import TensorType
from ..value import Value


@register
@dataclass(frozen=True)
class MatMul(Op):
    """(a[..., M, K], b[..., K, N]) -> [..., M, N], each optionally transposed; equal batch axes."""

    transpose_a: bool = False
    transpose_b: bool = False
    name = "matmul"
    properties = Property.CONTRACTION

    def channel_axis(self, rank: int) -> int:
        return rank - 1

    def weights_channel(self, rank: int) -> int:
        return rank - (2 if self.transpose_b else 1)

    @property
    def outer_axes(self) -> tuple[int, int]:
        return int(self.transpose_a), int(not self.transpose_b)

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        return results[0].size * inputs[0].shape[-2 if self.transpose_a else -1]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        a, c = inputs
        sums = require_factors(a, c)
        require(a.rank == c.rank >= 2, f"ranks {a.rank} and {c.rank}")
        require(a.shape[:-2] == c.shape[:-2], f"batch axes of {a} and {c}")
        m, k = a.shape[:-3:-1] if self.transpose_a else a.shape[-2:]
        k2, n = c.shape[:-3:-1] if self.transpose_b else c.shape[-2:]
        require(k == k2, f"inner extents {k} and {k2}")
        return (TensorType((*a.shape[:-2], m, n), sums),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        a, c = inputs
        a = a.swapaxes(-1, -2) if self.transpose_a else a
        c = c.swapaxes(-1, -2) if self.transpose_b else c
        return [np.matmul(a, c)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (x, w), g = at.inputs, b.cast(at.cotangent, at.inputs[0].type.dtype)
        ta, tb = self.transpose_a, self.transpose_b
        dx = dw = None
        if at.wanted[0]:
            dx = (
                b.matmul(w, g, transpose_a=tb, transpose_b=True)
                if ta
                else b.matmul(g, w, transpose_b=not tb)
            )
        if at.wanted[1]:
            dw = (
                b.matmul(g, x, transpose_a=True, transpose_b=ta)
                if tb
                else b.matmul(x, g, transpose_a=not ta)
            )
        return [d and b.cast(d, g.type.dtype) for d in (dx, dw)]
