"""Reductions over whole axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import expr as e
from ..op import Adjoint, AxisFold, GradientBuilder, Op, Property, Steps, register, require
from ..types import I32, TensorType
from ..value import Value

_KINDS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
}


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    require(all(0 <= a < len(shape) for a in axes), f"axes {axes} of a rank {len(shape)} tensor")
    return tuple(1 if i in axes else d for i, d in enumerate(shape))


@register
@dataclass(frozen=True)
class Reduce(Op):
    """``kind`` (sum, max, min, prod) over ``axes``, which stay with extent 1."""

    kind: str
    axes: tuple[int, ...]
    name = "reduce"
    properties = Property.REDUCTION

    @property
    def fold(self) -> AxisFold:
        return AxisFold(self.kind, self.axes)

    def operations(
        self, inputs: Sequence[TensorType], results: Sequence[TensorType], steps: Steps
    ) -> int:
        return inputs[0].size

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(self.kind in _KINDS, f"unknown reduction {self.kind!r}")
        return (TensorType(_reduced(x.shape, self.axes), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        if x.size == 0 and self.kind in ("max", "min"):
            return [np.zeros(results[0].shape, x.dtype)]
        return [
            _KINDS[self.kind](x, axis=self.axes, keepdims=True, dtype=x.dtype)
            if self.kind in ("sum", "prod")
            else _KINDS[self.kind](x, axis=self.axes, keepdims=True)
        ]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (x,), (y,), g = at.inputs, at.outputs, at.cotangent
        if self.kind == "sum":
            return [b.broadcast(g, x.shape)]
        first, second, third = (e.arg(i, x.type.dtype) for i in range(3))
        if self.kind == "prod":
            # True away from zeros; the layers that multiply (Eltwise PROD) do not use this op.
            rule = first * second / third
            return [b.map(rule, g, y, x, shape=x.shape)]
        # Every element that attains the extremum gets the cotangent.
        rule = e.where(e.equal(first, second), third, 0.0)
        return [b.map(rule, x, y, g, shape=x.shape)]


@register
@dataclass(frozen=True)
class ArgExtreme(Op):
    """Index (i32) of the largest or smallest element along ``axis``, which stays, extent 1.

    ``kind`` is max or min; ``tie`` says which of several equal elements: first or last.
    """

    kind: str
    axis: int
    tie: str = "first"
    name = "argextreme"
    properties = Property.REDUCTION

    @property
    def fold(self) -> AxisFold:
        return AxisFold(self.kind, (self.axis,), self.tie)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(self.kind in ("max", "min") and self.tie in ("first", "last"), "bad attributes")
        return (TensorType(_reduced(x.shape, (self.axis,)), I32),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        find = np.argmax if self.kind == "max" else np.argmin
        if self.tie == "first":
            return [find(x, axis=self.axis, keepdims=True).astype(np.int32)]
        backwards = find(np.flip(x, self.axis), axis=self.axis, keepdims=True)
        return [(x.shape[self.axis] - 1 - backwards).astype(np.int32)]
