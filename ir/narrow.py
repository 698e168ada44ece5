"""Floats of 16 bits as numpy holds them: f16 as such, bf16 as its bits in uint16.

Arithmetic is done in float32, which holds every number of both. Where a run is in double precision
numbers stay as they are: it tells what is exact.
"""

from __future__ import annotations

import numpy as np

from .types import BF16, F32, DType

_QUIET = 0x0040  # a bit that says of a NaN that it is none of those that trap


def widened(array: np.ndarray, dtype: DType) -> np.ndarray:
    """What memory holds of a type, as numbers to compute with: float32. What is such numbers
    already, or float64, is returned as it is."""
    if not dtype.is_narrow or array.dtype in (np.float32, np.float64):
        return array
    if dtype is BF16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32)


def narrowed(array: np.ndarray, dtype: DType) -> np.ndarray:
    """Inverse of :func:`widened`: to the nearest number, of two to the even one. What is too large
    becomes infinite; float64 is left."""
    if not dtype.is_narrow or array.dtype in (dtype.numpy, np.float64):
        return array
    if dtype is not BF16:
        with np.errstate(over="ignore"):
            return array.astype(dtype.numpy)
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32).reshape(array.shape)
    rounded = (bits + (((bits >> 16) & 1) + 0x7FFF)) >> 16
    return np.where(np.isnan(array), (bits >> 16) | _QUIET, rounded).astype(np.uint16)


def rounded_number(number: float, dtype: DType) -> float:
    """A literal as its type holds it; of f32 and f64 they are as they were written."""
    if not dtype.is_narrow:
        return number
    return float(widened(narrowed(np.array(number, np.float32), dtype), dtype))


def as_stored(array: np.ndarray, dtype: DType) -> np.ndarray:
    """Numbers as a type holds them, still to compute with."""
    return widened(narrowed(array, dtype), dtype)


def sums_of(factors: DType) -> DType:
    """The type of sums of products of floats: f32 where factors are narrow."""
    return F32 if factors.is_narrow else factors
