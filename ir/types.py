"""Element and tensor types of IR values."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


class DType(enum.Enum):
    """Element type of a tensor; the value is its spelling in IR text."""

    F64 = "f64"
    F32 = "f32"
    F16 = "f16"
    I32 = "i32"
    U32 = "u32"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[Any]:
        return _NUMPY[self]

    @property
    def itemsize(self) -> int:
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        return self in (DType.F64, DType.F32, DType.F16)

    def __str__(self) -> str:
        return self.value


_NUMPY: dict[DType, np.dtype[Any]] = {
    DType.F64: np.dtype(np.float64),
    DType.F32: np.dtype(np.float32),
    DType.F16: np.dtype(np.float16),
    DType.I32: np.dtype(np.int32),
    DType.U32: np.dtype(np.uint32),
    DType.BOOL: np.dtype(np.bool_),
}

F32, I32, U32, BOOL = DType.F32, DType.I32, DType.U32, DType.BOOL


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape (row-major, outermost first; ``()`` is a scalar) and element type."""

    shape: tuple[int, ...]
    dtype: DType = DType.F32

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"

    @staticmethod
    def parse(text: str) -> TensorType:
        """Inverse of ``str``. Raises ValueError for anything else."""
        match = re.fullmatch(r"(\w+)\[([\d,]*)\]", text)
        if match is None:
            raise ValueError(f"not a tensor type: {text!r}")
        dims = tuple(int(d) for d in match[2].split(",") if d)
        return TensorType(dims, DType(match[1]))


def shape_text(shape: Sequence[int]) -> str:
    """A shape as messages show it: ``20 x 1 x 5 x 5``; of a scalar ``()``."""
    return " x ".join(map(str, shape)) or "()"
