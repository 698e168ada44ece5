"""Gradients that are none of what is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import expr as e
from ..op import Adjoint, GradientBuilder, Op, Property, register, require
from ..types import TensorType
from ..value import Value


@register
@dataclass(frozen=True)
class DiffAs(Op):
    """(x, d) -> x, whose gradient is d, whatever that of the result is.

    For parameters with a rule of their own, which no weight of a loss scales.
    """

    name = "diff_as"
    properties = Property.MOVEMENT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, d = inputs
        require(x.shape == d.shape and x.dtype is d.dtype, f"{x} and {d}")
        return (x,)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [inputs[0].copy()]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [at.inputs[1], None]


@register
@dataclass(frozen=True)
class ClipDiff(Op):
    """x -> x, whose gradient is that of the result, each element brought into [-limit, limit]."""

    limit: float
    name = "clip_diff"
    properties = Property.MOVEMENT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(self.limit > 0.0, f"a limit of {self.limit:g}; it must be positive")
        require(x.dtype.is_float, f"{x}; floats are expected")
        return (x,)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [inputs[0].copy()]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        diff = e.arg(0, at.cotangent.type.dtype)
        return [b.map(e.minimum(e.maximum(diff, -self.limit), self.limit), at.cotangent)]
