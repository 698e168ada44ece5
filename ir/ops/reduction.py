"""Reductions over whole axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import expr as e
from ..narrow import sums_of
from ..op import (
    DEVIATIONS,
    Adjoint,
    AxisFold,
    GradientBuilder,
    Op,
    Property,
    Steps,
    register,
    require,
)
from ..size import larger
from ..types import I32, TensorType
from ..value import Value


def _deviations(x: np.ndarray, **options: Any) -> np.ndarray:
    """The sum of the squares of what elements differ by from their mean."""
    total = np.sum(x, **options)
    away = x - total / max(1, x.size // max(1, total.size))
    found: np.ndarray = np.sum(away * away, **options)
    return found


_KINDS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    DEVIATIONS: _deviations,
}
_EXTREMES = ("max", "min")


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    require(all(0 <= a < len(shape) for a in axes), f"axes {axes} of a rank {len(shape)} tensor")
    return tuple(1 if i in axes else d for i, d in enumerate(shape))


@register
@dataclass(frozen=True)
class Reduce(Op):
    """``kind`` over ``axes``, which stay with extent 1: sum, max, min, prod, or ``deviations``, the
    sum of the squares of what elements differ by from their mean (floats only)."""

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
        return inputs[0].size * (3 if self.kind == DEVIATIONS else 1)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(self.kind in _KINDS, f"unknown reduction {self.kind!r}")
        require(x.dtype.is_float or self.kind != DEVIATIONS, f"deviations of {x.dtype}")
        return (TensorType(_reduced(x.shape, self.axes), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        if x.size == 0 and self.kind in _EXTREMES:
            return [np.zeros(results[0].shape, x.dtype)]
        options: dict[str, Any] = {} if self.kind in _EXTREMES else {"dtype": x.dtype}
        return [_KINDS[self.kind](x, axis=self.axes, keepdims=True, **options)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (x,), (y,), g = at.inputs, at.outputs, at.cotangent
        if self.kind == "sum":
            return [b.broadcast(g, x.shape)]
        first, second, third = (e.arg(i, x.type.dtype) for i in range(3))
        if self.kind == DEVIATIONS:  # which are smallest from the mean: none flows through it
            count = math.prod(x.shape[axis] for axis in self.axes)
            dtype = sums_of(x.type.dtype)
            value, cotangent = e.cast(first, dtype), e.cast(third, dtype)
            mean = b.map(value / e.dyn(larger(count, 1), dtype), b.sum(x, self.axes))
            rule = e.cast((value - e.arg(1, dtype)) * cotangent * 2.0, x.type.dtype)
            return [b.map(rule, x, mean, g, shape=x.shape)]
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
