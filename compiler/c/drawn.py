"""Operands that look random: the numbers that ``support/check.h`` makes, in numpy."""

from __future__ import annotations

import numpy as np

from ir.narrow import narrowed
from ir.types import BOOL, F32, DType


def drawn(array: int, count: int, dtype: DType, positive: bool) -> np.ndarray:
    """So many elements of the array of a number, as memory holds them."""
    bits: np.ndarray = np.arange(count, dtype=np.uint32)
    bits += np.uint32((array + 1) * 2654435769 & 0xFFFFFFFF)
    for shift, factor in ((16, 2146121005), (15, 2221713035)):
        bits ^= bits >> shift
        bits *= np.uint32(factor)
    bits ^= bits >> 16
    if dtype is F32 or dtype.is_narrow:
        numbers = (bits >> 8).astype(np.float32) * np.float32(1 / 8388608) - np.float32(1)
        return narrowed(np.abs(numbers) if positive else numbers, dtype)
    return (bits >> (31 if dtype is BOOL else 30)).astype(dtype.numpy)
