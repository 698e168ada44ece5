"""What the inputs of a random graph hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ir.types import BOOL, DType, TensorType

Make = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Content:
    """``make`` gives the elements; ``smooth``: any other numbers would do as well."""

    make: Make
    smooth: bool = False

    def array(self, type: TensorType, rng: np.random.Generator, *, double: bool) -> np.ndarray:
        """Numbers that float32 holds; floats come in double precision if asked for."""
        array = np.asarray(self.make(rng, type.shape)).astype(type.dtype.numpy)
        return array.astype(np.float64) if double and type.dtype.is_float else array


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def _quarters(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-6, 7, shape) / 4


def integers(low: int, high: int) -> Content:
    """From low to high (not included)."""
    return Content(lambda rng, shape: rng.integers(low, high, shape))


def few_not_zero(count: int) -> Content:
    """``count`` elements are 1, the others 0."""

    def make(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        size = int(np.prod(shape))
        return rng.permutation(np.arange(size) < count).reshape(shape)

    return Content(make)


def cell_ends(extent: int) -> Content:
    """Where the cells of an axis begin and end (:class:`ir.ops.region.Cells`): some reach out of
    the image."""

    def make(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        begins = np.sort(rng.integers(-1, 1 + extent, (shape[0], shape[1] // 2)))
        ends = np.maximum.accumulate(begins + rng.integers(0, 3, begins.shape), axis=1)
        return np.concatenate([begins, ends], axis=1)

    return Content(make)


NORMAL = Content(_normal, smooth=True)
QUARTERS = Content(_quarters, smooth=True)
"""With many equal ones, and sums that are exact."""


def any_of(dtype: DType) -> tuple[Content, ...]:
    """What a free input may hold."""
    if dtype.is_float:
        return (QUARTERS, NORMAL)
    return (integers(0, 2),) if dtype is BOOL else (integers(0, 7),)
