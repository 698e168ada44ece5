"""Ops that move elements and compute nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..op import (
    Adjoint,
    Cut,
    GradientBuilder,
    Op,
    Property,
    channel_axis,
    register,
    require,
)
from ..types import TensorType
from ..value import Value
from ..views import viewed


@register
@dataclass(frozen=True)
class Reshape(Op):
    """The same elements in the same order under another shape."""

    shape: tuple[int, ...]
    name = "reshape"
    properties = Property.VIEW | Property.MOVEMENT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if x.shape != self.shape:
            count = math.prod(self.shape)
            require(x.size == count, f"{x.size} elements do not fill {self.shape} ({count})")
        return (TensorType(self.shape, x.dtype),)

    def viewed(self, operand: TensorType) -> TensorType | None:
        return viewed(operand, self.shape)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [inputs[0].reshape(self.shape)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [b.reshape(at.cotangent, at.inputs[0].shape)]


@register
@dataclass(frozen=True)
class Transpose(Op):
    """Axis ``i`` of the result is axis ``order[i]`` of the input."""

    order: tuple[int, ...]
    name = "transpose"
    properties = Property.MOVEMENT

    def channel_axis(self, rank: int) -> int | None:
        axis = channel_axis(rank)
        return None if axis is None else self.order.index(axis)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(sorted(self.order) == list(range(x.rank)), f"order {self.order}, rank {x.rank}")
        return (TensorType(tuple(x.shape[i] for i in self.order), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [np.ascontiguousarray(inputs[0].transpose(self.order))]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        inverse = tuple(self.order.index(i) for i in range(len(self.order)))
        return [b.transpose(at.cotangent, inverse)]


@register
@dataclass(frozen=True)
class Slice(Op):
    """Elements ``start`` to ``stop`` (not included) along ``axis``."""

    axis: int
    start: int
    stop: int
    name = "slice"
    properties = Property.MOVEMENT

    @property
    def offset_axis(self) -> int:
        return self.axis

    @property
    def cut(self) -> Cut:
        return Cut(self.axis, self.start, self.stop)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(0 <= self.axis < x.rank, f"axis {self.axis} of rank {x.rank}")
        extent = x.shape[self.axis]
        require(0 <= self.start <= self.stop <= extent, f"[{self.start}:{self.stop}] of {extent}")
        shape = list(x.shape)
        shape[self.axis] = self.stop - self.start
        return (TensorType(tuple(shape), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        part = (slice(None),) * self.axis + (slice(self.start, self.stop),)
        return [np.ascontiguousarray(inputs[0][part])]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (x,) = at.inputs
        low, high = [0] * x.type.rank, [0] * x.type.rank
        low[self.axis], high[self.axis] = self.start, x.shape[self.axis] - self.stop
        return [b.pad(at.cotangent, low, high)]


@register
@dataclass(frozen=True)
class Concat(Op):
    """Inputs one after the other along ``axis``.

    ``whole``: kernels write the inputs where they stand in the result, and read them there, so that
    nothing is copied.
    """

    axis: int
    whole: bool = False
    name = "concat"

    @property
    def properties(self) -> Property:  # type: ignore[override]
        return Property.MOVEMENT | Property.WHOLE if self.whole else Property.MOVEMENT

    @property
    def parts_axis(self) -> int:
        return self.axis

    def in_place(self) -> Concat:
        return replace(self, whole=True)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        first = inputs[0]
        require(0 <= self.axis < first.rank, f"axis {self.axis} of rank {first.rank}")
        for other in inputs[1:]:
            same = other.rank == first.rank and all(
                a == c
                for i, (a, c) in enumerate(zip(first.shape, other.shape, strict=True))
                if i != self.axis
            )
            require(same and other.dtype is first.dtype, f"{first} and {other} on {self.axis}")
        shape = list(first.shape)
        shape[self.axis] = sum(t.shape[self.axis] for t in inputs)
        return (TensorType(tuple(shape), first.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [np.concatenate(inputs, axis=self.axis)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        results: list[Value | None] = []
        start = 0
        for x, needed in zip(at.inputs, at.wanted, strict=True):
            stop = start + x.shape[self.axis]
            results.append(b.slice(at.cotangent, self.axis, start, stop) if needed else None)
            start = stop
        return results


@register
@dataclass(frozen=True)
class Pad(Op):
    """Extend every axis by ``low`` and ``high`` elements of ``value``; negative cuts off."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    value: float = 0.0
    name = "pad"
    properties = Property.MOVEMENT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(len(self.low) == len(self.high) == x.rank, "one amount per axis is needed")
        shape = tuple(d + lo + hi for d, lo, hi in zip(x.shape, self.low, self.high, strict=True))
        require(all(d >= 0 for d in shape), f"padding {x} gives {shape}")
        return (TensorType(shape, x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        out = np.full(results[0].shape, self.value, x.dtype)
        source, target = [], []
        for extent, full, lo in zip(x.shape, out.shape, self.low, strict=True):
            begin, end = max(0, -lo), min(extent, full - lo)
            if end <= begin:
                return [out]
            source.append(slice(begin, end))
            target.append(slice(begin + lo, end + lo))
        out[tuple(target)] = x[tuple(source)]
        return [out]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [b.pad(at.cotangent, [-a for a in self.low], [-a for a in self.high])]
