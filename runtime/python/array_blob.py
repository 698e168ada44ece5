"""Blobs as Python layers see them, and what they share with pycaffe's."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ir.errors import RoasteryError

MAX_AXES = 32
"""Caffe: kMaxBlobAxes."""


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


class LegacyAxes(ABC):
    """The four names that axes had before blobs could have any number of them."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]: ...

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

    def _legacy(self, axis: int) -> int:
        # Missing axes count as 1. Caffe: Blob::LegacyShape.
        shape = self.shape
        if len(shape) > 4:
            raise RoasteryError(
                f"a blob of shape {list(shape)} has no num, channels, height and width",
                hint="read blob.shape",
            )
        return shape[axis] if axis < len(shape) else 1


def checked_shape(dims: Sequence[int]) -> tuple[int, ...]:
    """The shape that a blob is to take. Raises RoasteryError for one that no blob can have."""
    shape = tuple(int(d) for d in dims)
    if len(shape) > MAX_AXES or any(d < 0 for d in shape):
        raise RoasteryError(
            f"a blob cannot have shape {list(shape)}",
            hint=f"up to {MAX_AXES} extents, none of them negative: reshape(1, 3, 224, 224)",
        )
    return shape


class ArrayBlob(LegacyAxes):
    """Data and diff of one shape. Caffe: python/caffe/_caffe.cpp, include/caffe/blob.hpp."""

    def __init__(self, shape: Sequence[int] = (0,)) -> None:
        self._data = np.zeros(tuple(shape), np.float32)
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
        shape = checked_shape(dims)
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


class BlobVec(list[ArrayBlob]):
    """A layer's parameters: ``self.blobs``."""

    def add_blob(self, *dims: int) -> None:
        self.append(ArrayBlob(dims))
