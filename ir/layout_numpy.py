"""Layouts in numpy: an array as memory holds it, and back."""

from __future__ import annotations

import numpy as np

from .layout import Layout
from .types import TensorType


def memory_of(array: np.ndarray, type: TensorType) -> np.ndarray:
    """The elements of an array in the order of memory, one-dimensional; 0 where a block is filled
    up. Of a row-major type a view, where the array allows."""
    layout = type.layout
    if layout is None:
        return array.reshape(-1)
    fill = [(0, full - have) for have, full in zip(type.shape, _whole(type, layout), strict=True)]
    split, order = _split(type, layout)
    return np.pad(array, fill).reshape(split).transpose(order).reshape(-1)


def array_of(memory: np.ndarray, type: TensorType) -> np.ndarray:
    """Inverse of :func:`memory_of`: the tensor that memory holds, as an array of its shape."""
    layout = type.layout
    if layout is None:
        return memory.reshape(type.shape)
    split, order = _split(type, layout)
    laid = memory.reshape([split[axis] for axis in order])
    whole = laid.transpose(np.argsort(order)).reshape(_whole(type, layout))
    return whole[tuple(map(slice, type.shape))]


def _whole(type: TensorType, layout: Layout) -> list[int]:
    """Extents with the last block of each axis filled up."""
    blocks = [max(layout.block(axis), 1) for axis in range(type.rank)]
    return [-(-d // block) * block for d, block in zip(type.shape, blocks, strict=True)]


def _split(type: TensorType, layout: Layout) -> tuple[list[int], list[int]]:
    """Extents with each blocked axis as two, and their order in memory."""
    digits = layout.digits(type.shape)
    logical = sorted(digits, key=lambda digit: (digit.axis, -digit.divisor))
    return [digit.extent for digit in logical], [logical.index(digit) for digit in digits]
