"""Windows over any axes: sums and maxima (pooling, LRN), and their gradients.

A window op slides over all axes of the input: ``window``, ``stride``, ``low`` and
``high`` have one entry per axis (1, 1, 0, 0 where nothing slides). ``low``/``high`` are
the elements added before and after each axis (``high`` may be negative: the windows end
before the axis does), so the rounding rule of a layer is in its lowering, not here:
out = (in + low + high - window) / stride + 1, exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, Property, Steps, register, require
from ..types import I32, TensorType
from ..value import Value
from ..windows import pad_to


@dataclass(frozen=True)
class _Window(Op):
    window: tuple[int, ...]
    stride: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    properties = Property.LOCAL

    def slides(self, axis: int) -> bool:
        """Whether the window does anything along an axis."""
        kind = self.window[axis], self.stride[axis], self.low[axis], self.high[axis]
        return kind != (1, 1, 0, 0)

    def operations(
        self, inputs: Sequence[TensorType], results: Sequence[TensorType], steps: Steps
    ) -> int:
        """One for each element of each window."""
        return min(inputs[0].size, results[0].size) * math.prod(self.window)

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(
            len(shape) == len(self.window) == len(self.stride) == len(self.low) == len(self.high),
            f"rank {len(shape)}, window {self.window}",
        )
        out = []
        for d, k, s, lo, hi in zip(
            shape, self.window, self.stride, self.low, self.high, strict=True
        ):
            if (k, s, lo, hi) == (1, 1, 0, 0):  # nothing slides
                out.append(d)
                continue
            span = d + lo + hi - k
            if not (span >= 0 and span % s == 0):
                raise TypeError(f"windows do not fit: {d}+{lo}+{hi}-{k} by {s}")
            out.append(span // s + 1)
        return tuple(out)

    def kind(self) -> dict[str, Any]:
        return {"window": self.window, "stride": self.stride, "low": self.low, "high": self.high}

    def padded(self, x: np.ndarray, value: float) -> np.ndarray:
        return pad_to(x, self.low, tuple(max(0, h) for h in self.high), value)

    def taps(self, out: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Every tap of the window with the slice of the padded input it reads at all outputs.

        Row-major, so that ties resolve to the first element as Caffe's loops do.
        """
        for tap in itertools.product(*map(range, self.window)):
            yield (
                tap,
                tuple(
                    slice(t, t + (o - 1) * s + 1, s)
                    for t, o, s in zip(tap, out, self.stride, strict=True)
                ),
            )


@register
@dataclass(frozen=True)
class WindowSum(_Window):
    """(x) -> the sum of each window; padding counts as 0."""

    name = "window_sum"

    def works_by_parts(self, axis: int) -> bool:
        return not self.slides(axis)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(self.out_shape(x.shape), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        padded = self.padded(inputs[0], 0.0)
        total = np.zeros(results[0].shape, padded.dtype)
        for _, part in self.taps(total.shape):
            total += padded[part]
        return [total]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        op = WindowSpread(**self.kind(), shape=at.inputs[0].shape)
        return [b.emit(op, at.cotangent)]


@register
@dataclass(frozen=True)
class WindowSpread(_Window):
    """(g) -> x of ``shape``: every element gets the sum of its windows' g. Adjoint of WindowSum."""

    shape: tuple[int, ...] = ()
    name = "window_spread"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (g,) = inputs
        expected = self.out_shape(self.shape)
        require(g.shape == expected, f"{g.shape} windows, {expected} expected")
        return (TensorType(self.shape, g.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (g,) = inputs
        total = self.padded(np.zeros(self.shape, g.dtype), 0.0)
        for _, part in self.taps(g.shape):
            total[part] += g
        inside = tuple(slice(lo, lo + d) for lo, d in zip(self.low, self.shape, strict=True))
        return [np.ascontiguousarray(total[inside])]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [b.emit(WindowSum(**self.kind()), at.cotangent)]


@register
@dataclass(frozen=True)
class WindowMax(_Window):
    """(x) -> largest element of each window, and its place (i32); the first of equal ones.

    Padding never wins. ``spatial_rank`` trailing axes make up the place: row-major index of
    the element within them (Caffe's pooling mask: h * W + w). A window that holds only NaN or
    padding gives -FLT_MAX and place -1. Caffe: src/caffe/layers/pooling_layer.cpp.
    """

    spatial_rank: int = 2
    name = "window_max"

    def works_by_parts(self, axis: int) -> bool:
        return not self.slides(axis)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        shape = self.out_shape(x.shape)
        leading = self.window[: x.rank - self.spatial_rank]
        require(all(k == 1 for k in leading), f"window {self.window} slides over leading axes")
        return (TensorType(shape, x.dtype), TensorType(shape, I32))

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        lowest = np.finfo(np.float32).min
        # Padding is NaN, which fmax passes by and which equals nothing: it never wins.
        padded = self.padded(x, np.nan)
        shape = results[0].shape
        parts = [padded[part] for _, part in self.taps(shape)]
        if len(parts) <= 32:  # copies are read faster, but many of them would fill the memory
            parts = [np.ascontiguousarray(part) for part in parts]
        best = np.full(shape, lowest, x.dtype)
        for part in parts:
            np.fmax(best, part, out=best)
        # Code count - n for tap n, so that the largest code is the first tap that attains the
        # maximum; 0: none does. Arithmetic on small integers is many times faster than masks.
        count = len(parts)
        code = np.zeros(shape, np.int8 if count < 127 else np.int32)
        for n, part in enumerate(parts):
            hit = (part == best).view(np.int8).astype(code.dtype, copy=False)
            np.maximum(code, hit * code.dtype.type(count - n), out=code)
        code[best <= lowest] = 0
        return [best, self._place(code, x.shape)]

    def _place(self, code: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Codes of taps to places in the input's trailing axes; -1 for code 0."""
        first = code.ndim - self.spatial_rank
        taps = np.indices(self.window).reshape(code.ndim, -1)
        offset = np.zeros(taps.shape[1], np.int32)
        start = np.zeros((1,) * code.ndim, np.int32)
        for axis in range(first, code.ndim):
            extent = [1] * code.ndim
            extent[axis] = code.shape[axis]
            step = np.arange(code.shape[axis], dtype=np.int32) * self.stride[axis]
            start = start * shape[axis] + (step - self.low[axis]).reshape(extent)
            offset = offset * shape[axis] + taps[axis].astype(np.int32)
        table = np.concatenate([np.zeros(1, np.int32), offset[::-1]]).astype(np.int32)
        place = np.take(table, code, mode="clip") + start.astype(np.int32)
        place[code == 0] = -1
        return place

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        g = at.cotangents[0]
        if g is None:
            return [None]
        op = WindowScatter(**self.kind(), shape=at.inputs[0].shape, spatial_rank=self.spatial_rank)
        return [b.emit(op, g, at.outputs[1])]


@register
@dataclass(frozen=True)
class WindowScatter(_Window):
    """(g, place) -> x: every element gets the g of the windows whose place it is.

    ``place`` is as :class:`WindowMax` gives it, inside its window (a kernel looks only at the
    windows that cover an element).
    """

    shape: tuple[int, ...] = ()
    spatial_rank: int = 2
    name = "window_scatter"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g, place = inputs
        expected = self.out_shape(self.shape)
        require(g.shape == place.shape == expected, f"{g}, {place}; {expected} expected")
        require(place.dtype is I32, f"places are i32, not {place.dtype}")
        return (TensorType(self.shape, g.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, place = inputs
        inner = int(np.prod(self.shape[len(self.shape) - self.spatial_rank :]))
        outer = int(np.prod(self.shape[: len(self.shape) - self.spatial_rank]))
        base = np.arange(outer, dtype=np.int64)[:, None] * inner
        flat = (base + place.reshape(outer, place.size // max(1, outer))).ravel()
        weights = np.where(place >= 0, g, 0).ravel()
        flat = np.where(place.ravel() >= 0, flat, 0)
        total = np.bincount(flat, weights=weights, minlength=outer * inner)
        return [total.astype(g.dtype).reshape(self.shape)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        op = WindowPick(**self.kind(), spatial_rank=self.spatial_rank)
        return [b.emit(op, at.cotangent, at.inputs[1]), None]


@register
@dataclass(frozen=True)
class WindowPick(_Window):
    """(x, place) -> the element of x at each window's place; 0 where the place is -1."""

    spatial_rank: int = 2
    name = "window_pick"

    def operations(
        self, inputs: Sequence[TensorType], results: Sequence[TensorType], steps: Steps
    ) -> int:
        return 0  # each window reads one element

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, place = inputs
        expected = self.out_shape(x.shape)
        require(place.shape == expected, f"places {place.shape}, {expected} expected")
        return (TensorType(expected, x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, place = inputs
        first = x.ndim - self.spatial_rank
        rows = x.reshape(*x.shape[:first], math.prod(x.shape[first:]))
        places = np.maximum(place, 0).astype(np.int64)
        flat = places.reshape(*place.shape[:first], math.prod(place.shape[first:]))
        picked = np.take_along_axis(rows, flat, axis=-1).reshape(place.shape)
        return [np.where(place >= 0, picked, 0).astype(x.dtype)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        op = WindowScatter(**self.kind(), shape=at.inputs[0].shape, spatial_rank=self.spatial_rank)
        return [b.emit(op, at.cotangent, at.inputs[1]), None]
