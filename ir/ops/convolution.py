"""Convolution and its two gradients, N-D, in Caffe's layouts.

Data is (N, C, spatial...), weights (C_out, C_in / group, window...). The three ops are
closed under differentiation; Caffe's Deconvolution is :class:`ConvInputGrad`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import (
    Adjoint,
    Channels,
    GradientBuilder,
    Op,
    Property,
    register,
    require,
    require_factors,
)
from ..types import TensorType
from ..value import Value
from ..windows import col2im, im2col


def conv_output_extent(extent: int, window: int, stride: int, pad: int, dilation: int) -> int:
    """Floor rule. Caffe: src/caffe/layers/conv_layer.cpp, compute_output_shape."""
    return (extent + 2 * pad - (dilation * (window - 1) + 1)) // stride + 1


def _rows(g: np.ndarray, group: int) -> np.ndarray:
    """(N, C, spatial...) -> (N, group, C/group, positions); -1 would not do for an empty batch."""
    n, c = g.shape[:2]
    return g.reshape(n, group, c // group, math.prod(g.shape[2:]))


@dataclass(frozen=True)
class _Conv(Op):
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]
    group: int = 1
    properties = Property.CONTRACTION

    def outputs(self, x: Sequence[int], window: Sequence[int]) -> tuple[int, ...]:
        """Spatial extents of the convolution's result."""
        rank = len(x)
        require(
            rank == len(window) == len(self.stride) == len(self.pad) == len(self.dilation),
            f"{rank} spatial axes, window {tuple(window)}, stride {self.stride}",
        )
        return tuple(
            conv_output_extent(*args)
            for args in zip(x, window, self.stride, self.pad, self.dilation, strict=True)
        )

    def columns(self, x: np.ndarray, window: Sequence[int]) -> np.ndarray:
        """(N, C, spatial...) -> (N, group, C/group * window, positions)."""
        cols = im2col(x, window, self.stride, self.pad, self.dilation)
        n, c = x.shape[:2]
        taps = math.prod(window)
        positions = math.prod(cols.shape[2 + len(window) :])
        return cols.reshape(n, self.group, c // self.group * taps, positions)

    def common(self) -> dict[str, object]:
        return {
            "stride": self.stride,
            "pad": self.pad,
            "dilation": self.dilation,
            "group": self.group,
        }


@register
@dataclass(frozen=True)
class Conv(_Conv):
    """(x[N, C, d...], w[K, C / group, k...]) -> y[N, K, o...]: a correlation, o by the floor rule.

    Caffe: src/caffe/layers/base_conv_layer.cpp.
    """

    name = "conv"

    @property
    def channels(self) -> tuple[tuple[Channels, ...], ...]:
        image = (Channels(1, self.group),)
        return image, (Channels(1), Channels(0, self.group)), image

    @property
    def plain_pad(self) -> tuple[int, ...] | None:
        return self.pad if {self.group, *self.stride, *self.dilation} == {1} else None

    def weights_channel(self, rank: int) -> int:
        return 0

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        return results[0].size * math.prod(inputs[1].shape[1:])

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, w = inputs
        sums = require_factors(x, w)
        require(x.rank == w.rank >= 3, f"ranks {x.rank} and {w.rank}")
        channels = w.shape[1] * self.group
        require(x.shape[1] == channels, f"{x.shape[1]} channels, the weights take {channels}")
        require(w.shape[0] % self.group == 0, f"{w.shape[0]} outputs in {self.group} groups")
        spatial = self.outputs(x.shape[2:], w.shape[2:])
        require(
            all(d > 0 for d in spatial), f"window {w.shape[2:]} is larger than input {x.shape[2:]}"
        )
        return (TensorType((x.shape[0], w.shape[0], *spatial), sums),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, w = inputs
        cols = self.columns(x, w.shape[2:])
        weights = w.reshape(self.group, w.shape[0] // self.group, -1)
        return [np.matmul(weights, cols).reshape(results[0].shape)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (x, w), g = at.inputs, b.cast(at.cotangent, at.inputs[0].type.dtype)
        kind = self.common()
        dx = ConvInputGrad(**kind, spatial=x.shape[2:])  # type: ignore[arg-type]
        dw = ConvWeightGrad(**kind, window=w.shape[2:])  # type: ignore[arg-type]
        return [
            b.cast(b.emit(dx, g, w), g.type.dtype) if at.wanted[0] else None,
            b.cast(b.emit(dw, x, g), g.type.dtype) if at.wanted[1] else None,
        ]


@register
@dataclass(frozen=True)
class ConvInputGrad(_Conv):
    """(dy[N, K, o...], w[K, C / group, k...]) -> dx[N, C, spatial...]; transposed convolution."""

    spatial: tuple[int, ...] = ()
    name = "conv_input_grad"

    @property
    def channels(self) -> tuple[tuple[Channels, ...], ...]:
        image = (Channels(1, self.group),)
        return image, (Channels(0, self.group), Channels(1)), image

    def weights_channel(self, rank: int) -> int | None:
        return 1 if self.group == 1 else None

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        return inputs[0].size * math.prod(inputs[1].shape[1:])

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g, w = inputs
        sums = require_factors(g, w)
        require(g.rank == w.rank >= 3, f"ranks {g.rank} and {w.rank}")
        require(g.shape[1] == w.shape[0], f"{g.shape[1]} channels, the weights have {w.shape[0]}")
        require(w.shape[0] % self.group == 0, f"{w.shape[0]} outputs in {self.group} groups")
        spatial = self.outputs(self.spatial, w.shape[2:])
        require(spatial == g.shape[2:], f"extents {g.shape[2:]}, {spatial} expected")
        return (TensorType((g.shape[0], w.shape[1] * self.group, *self.spatial), sums),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, w = inputs
        n, c = results[0].shape[:2]
        window = w.shape[2:]
        weights = w.reshape(self.group, w.shape[0] // self.group, -1)
        rows = _rows(g, self.group)
        cols = np.matmul(weights.swapaxes(1, 2), rows).reshape(n, c, *window, *g.shape[2:])
        return [col2im(cols, self.spatial, self.stride, self.pad, self.dilation)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (y, w), g = at.inputs, b.cast(at.cotangent, at.inputs[0].type.dtype)
        kind = self.common()
        dw = ConvWeightGrad(**kind, window=w.shape[2:])  # type: ignore[arg-type]
        return [
            b.cast(b.emit(Conv(**kind), g, w), g.type.dtype) if at.wanted[0] else None,  # type: ignore[arg-type]
            b.cast(b.emit(dw, g, y), g.type.dtype) if at.wanted[1] else None,
        ]


@register
@dataclass(frozen=True)
class ConvWeightGrad(_Conv):
    """(x[N, C, d...], dy[N, K, o...]) -> dw[K, C / group, window...], summed over the batch."""

    window: tuple[int, ...] = ()
    name = "conv_weight_grad"

    @property
    def channels(self) -> tuple[tuple[Channels, ...], ...]:
        image = (Channels(1, self.group),)
        return image, image, (Channels(1), Channels(0, self.group))

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        return inputs[1].size * math.prod(results[0].shape[1:])

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, g = inputs
        sums = require_factors(x, g)
        require(x.rank == g.rank >= 3 and x.shape[0] == g.shape[0], f"{x} and {g}")
        spatial = self.outputs(x.shape[2:], self.window)
        require(spatial == g.shape[2:], f"extents {g.shape[2:]}, {spatial} expected")
        require(x.shape[1] % self.group == 0, f"{x.shape[1]} channels in {self.group} groups")
        return (TensorType((g.shape[1], x.shape[1] // self.group, *self.window), sums),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, g = inputs
        cols = self.columns(x, self.window)
        rows = _rows(g, self.group)
        return [np.matmul(rows, cols.swapaxes(2, 3)).sum(axis=0).reshape(results[0].shape)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        (x, y), g = at.inputs, b.cast(at.cotangent, at.inputs[0].type.dtype)
        kind = self.common()
        dx = ConvInputGrad(**kind, spatial=x.shape[2:])  # type: ignore[arg-type]
        return [
            b.cast(b.emit(dx, y, g), g.type.dtype) if at.wanted[0] else None,
            b.cast(b.emit(Conv(**kind), x, g), g.type.dtype) if at.wanted[1] else None,  # type: ignore[arg-type]
        ]
