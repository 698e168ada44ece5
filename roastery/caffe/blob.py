"""Blobs as pycaffe shows them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ir.types import TensorType
from runtime.buffers import Buffer


class Blob:
    """A tensor with data and diff, both writable float32 arrays that the net really uses.

    Caffe: include/caffe/blob.hpp, python/caffe/_caffe.cpp.
    """

    def __init__(self, data: Buffer, diff: Buffer, *, resize: Callable[[], None] | None = None):
        self._data = data
        self._diff = diff
        self._resize = resize

    def attach(self, data: Buffer, diff: Buffer) -> None:
        """Point at other memory: after the net was reshaped."""
        self._data, self._diff = data, diff

    @property
    def data(self) -> np.ndarray:
        return self._data.array

    @property
    def diff(self) -> np.ndarray:
        return self._diff.array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.type.shape

    @property
    def count(self) -> int:
        return self._data.type.size

    def _legacy(self, axis: int) -> int:
        # Missing axes count as 1; more than 4 have no legacy shape. Caffe: Blob::LegacyShape.
        if len(self.shape) > 4:
            raise ValueError(f"a blob of shape {self.shape} has no num/channels/height/width")
        return self.shape[axis] if axis < len(self.shape) else 1

    @property
    def num(self) -> int:
        return self._legacy(0)

    @property
    def channels(self) -> int:
        return self._legacy(1)

    @property
    def height(self) -> int:
        return self._legacy(2)

    @property
    def width(self) -> int:
        return self._legacy(3)

    def reshape(self, *dims: int) -> None:
        """Give the blob another shape; ``net.reshape()`` or forward carries it through the net."""
        shape = tuple(int(d) for d in dims)
        if shape == self.shape:
            return
        type = TensorType(shape, self._data.type.dtype)
        if math.prod(shape) <= self._data.capacity:
            self._data, self._diff = self._data.view(type), self._diff.view(type)
        else:
            self._data, self._diff = Buffer(type), Buffer(type)
        if self._resize is not None:
            self._resize()

    @property
    def buffers(self) -> tuple[Buffer, Buffer]:
        return self._data, self._diff
