"""A 3 x 3 convolution by Winograd's minimal filtering, in parts: between the transforms of images
and of weights there is a 1 x 1 convolution of as many groups as a tile has products (t * t).

For inference: passes make these of convolutions whose weights are known; they have no gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Channels, Op, Property, register, require
from ..patches import PatchTransform, transformed
from ..types import TensorType
from ..windows import pad_to
from ..winograd import POINTS, TAPS, inputs_of, matrices


@dataclass(frozen=True)
class _Winograd(Op):
    """``tile``: results of a tile along each axis."""

    tile: int
    properties = Property.LOCAL

    @property
    def products(self) -> int:
        return inputs_of(self.tile) ** 2

    @property
    def cost(self) -> int:
        """Nothing computes it again for each of its readers."""
        return 1000

    def check(self, x: TensorType) -> None:
        require(self.tile in POINTS, f"tiles of {self.tile}, there are {sorted(POINTS)}")
        require(x.rank == 4, f"rank {x.rank}, images have 4")
        require(x.dtype.is_float, f"{x.dtype}")

    def grouped(self, channels: int) -> int:
        require(channels % self.products == 0, f"{channels} channels of {self.products} products")
        return channels // self.products


@register
@dataclass(frozen=True)
class WinogradInput(_Winograd):
    """x[N, C, H, W] -> [N, t*t*C, tiles down, tiles across]: of overlapping t x t patches, product
    by product, ``B^T patch B``. The last tiles reach over the image, as far as zeros."""

    pad: tuple[int, ...] = (0, 0)
    name = "winograd_input"

    @property
    def patches(self) -> PatchTransform:
        return PatchTransform(matrices(self.tile).inputs, self.tile, self.pad)

    @property
    def channels(self) -> tuple[tuple[Channels, ...], ...]:
        return (Channels(1),), (Channels(1, self.products),)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        self.check(x)
        require(len(self.pad) == 2 and min(self.pad) >= 0, f"pad {self.pad}")
        tiles = [
            (extent + 2 * pad - TAPS + self.tile) // self.tile
            for extent, pad in zip(x.shape[2:], self.pad, strict=True)
        ]
        require(all(d > 0 for d in tiles), f"a window of {TAPS} is larger than {x.shape[2:]}")
        return (TensorType((x.shape[0], self.products * x.shape[1], *tiles), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        n, c, *extents = x.shape
        down, across = (int(d) for d in results[0].shape[2:])
        t, m = inputs_of(self.tile), self.tile
        behind = [
            max(0, count * m + t - m - pad - extent)
            for count, pad, extent in zip((down, across), self.pad, extents, strict=True)
        ]
        wide = pad_to(x, (0, 0, *self.pad), (0, 0, *behind))
        steps = wide.strides
        patches = np.lib.stride_tricks.as_strided(
            wide, (n, c, down, across, t, t), (*steps[:2], m * steps[2], m * steps[3], *steps[2:])
        )
        found = transformed(matrices(m).inputs, patches)
        return [found.transpose(0, 4, 5, 1, 2, 3).reshape(results[0].shape)]


@register
@dataclass(frozen=True)
class WinogradWeights(_Winograd):
    """w[K, C, 3, 3] -> [t*t*K, C, 1, 1], product by product: ``G w G^T``."""

    name = "winograd_weights"

    @property
    def patches(self) -> PatchTransform:
        return PatchTransform(matrices(self.tile).weights, TAPS, axis=0)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (w,) = inputs
        self.check(w)
        require(w.shape[2:] == (TAPS, TAPS), f"a window of {w.shape[2:]}")
        return (TensorType((self.products * w.shape[0], w.shape[1], 1, 1), w.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        found = transformed(matrices(self.tile).weights, inputs[0])
        return [found.transpose(2, 3, 0, 1).reshape(results[0].shape)]


@register
@dataclass(frozen=True)
class WinogradOutput(_Winograd):
    """[N, t*t*K, tiles down, tiles across] -> y[N, K, spatial...]: ``A^T products A`` of each tile,
    as far as it is inside."""

    spatial: tuple[int, ...] = ()
    name = "winograd_output"

    @property
    def patches(self) -> PatchTransform:
        return PatchTransform(matrices(self.tile).results, self.tile, to_image=True)

    @property
    def channels(self) -> tuple[tuple[Channels, ...], ...]:
        return (Channels(1, self.products),), (Channels(1),)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        self.check(x)
        tiles = tuple((extent + self.tile - 1) // self.tile for extent in self.spatial)
        require(tiles == x.shape[2:], f"{x.shape[2:]} tiles, {tiles} expected")
        return (TensorType((x.shape[0], self.grouped(x.shape[1]), *self.spatial), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        (x,) = inputs
        n, k, *extents = (int(d) for d in results[0].shape)
        down, across = x.shape[2:]
        t = inputs_of(self.tile)
        products = x.reshape(n, t, t, k, down, across).transpose(0, 3, 4, 5, 1, 2)
        found = transformed(matrices(self.tile).results, products)
        image = found.transpose(0, 1, 2, 4, 3, 5)
        image = image.reshape(n, k, down * self.tile, across * self.tile)
        return [image[:, :, : extents[0], : extents[1]]]
