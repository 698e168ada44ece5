"""The blobs that Python layers see, where no pycaffe Blob stands behind them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np


class BlobLike(Protocol):
    """What a Python layer may expect of a blob. ``roastery.caffe.Blob`` has all of it too."""

    @property
    def data(self) -> np.ndarray: ...
    @property
    def diff(self) -> np.ndarray: ...
    @property
    def shape(self) -> Sequence[int]: ...
    @property
    def count(self) -> int: ...
    @property
    def num(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...

    def reshape(self, *dims: int) -> None: ...


class ArrayBlob:
    """Data and diff of one shape. Caffe: python/caffe/_caffe.cpp, include/caffe/blob.hpp."""

    def __init__(self, shape: Sequence[int] = (0,), dtype: np.dtype | type = np.float32) -> None:
        self._data = np.zeros(tuple(shape), dtype)
        self._diff: np.ndarray | None = None

    @property
    def data(self) -> np.ndarray:
        return self._data

    @property
    def diff(self) -> np.ndarray:
        if self._diff is None or self._diff.shape != self._data.shape:
            self._diff = np.zeros_like(self._data)
        return self._diff

    def attach(self, data: np.ndarray, diff: np.ndarray | None = None) -> None:
        """Make ``data`` and ``diff`` (None: zeros) what the blob holds, without copying."""
        self._data, self._diff = data, diff

    def reshape(self, *dims: int) -> None:
        """Change the shape; elements stay where their number does not change."""
        shape = tuple(int(d) for d in dims)
        if len(shape) > 32 or any(d < 0 for d in shape):
            raise ValueError(f"a blob cannot have shape {list(shape)}")
        if math.prod(shape) == self._data.size:
            self._data = self._data.reshape(shape)
            if self._diff is not None:
                self._diff = self._diff.reshape(shape)
        else:
            self._data, self._diff = np.zeros(shape, self._data.dtype), None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def count(self) -> int:
        return self._data.size

    def _legacy(self, axis: int) -> int:
        if self._data.ndim > 4:
            raise ValueError(f"num, channels, height and width of {self._data.ndim} axes")
        return self._data.shape[axis] if axis < self._data.ndim else 1

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


class BlobVec(list[ArrayBlob]):
    """A layer's parameters: ``self.blobs``."""

    def add_blob(self, *dims: int) -> None:
        self.append(ArrayBlob(dims))
