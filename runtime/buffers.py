"""Memory that outlives a launch: tensors of blobs, parameters and state."""

from __future__ import annotations

import math

import numpy as np

from ir.types import DType, TensorType

PADDING = 16
"""Buffers hold a multiple of this many elements, so that pointwise kernels need no mask."""

_ALIGNMENT = 64


def padded_size(size: int) -> int:
    return max(PADDING, -(-size // PADDING) * PADDING)


class Buffer:
    """A tensor in host memory, zeroed, aligned and padded.

    ``array`` is an ordinary writable numpy view of the tensor's shape; ``flat`` is all of the
    memory, padding included. Both stay the same objects for the buffer's life, so a view that a user keeps
    is live.
    """

    __slots__ = ("array", "flat", "type")

    def __init__(self, type: TensorType, flat: np.ndarray | None = None) -> None:
        self.type = type
        if flat is None:
            flat = aligned_zeros(padded_size(type.size), type.dtype)
        self.flat = flat
        self.array = flat[: type.size].reshape(type.shape)

    def view(self, type: TensorType) -> Buffer:
        """The same memory under another type of no more elements."""
        return Buffer(type, self.flat)

    @property
    def capacity(self) -> int:
        return self.flat.size


def aligned_zeros(count: int, dtype: DType) -> np.ndarray:
    """``count`` zeros whose address is a multiple of 64 bytes."""
    nbytes = count * dtype.itemsize
    raw = np.zeros(nbytes + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + nbytes].view(dtype.numpy)


def carve(total: np.ndarray, offset: int, type: TensorType) -> Buffer:
    """A buffer inside a larger one, at an element offset that is a multiple of PADDING."""
    return Buffer(type, total[offset : offset + padded_size(math.prod(type.shape))])
