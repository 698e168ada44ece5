"""Element and tensor types of IR values."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .size import parse_shape, size_text

_NUMPY = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "i32": np.int32,
    "u32": np.uint32,
    "bool": np.bool_,
}


class DType(enum.Enum):
    """Element type of a tensor; the value is its spelling in IR text."""

    F64 = "f64"
    F32 = "f32"
    F16 = "f16"
    I32 = "i32"
    U32 = "u32"
    BOOL = "bool"

    def __init__(self, text: str) -> None:
        self.numpy: np.dtype[Any] = np.dtype(_NUMPY[text])
        self.itemsize: int = self.numpy.itemsize
        self.is_float: bool = self.numpy.kind == "f"

    def __str__(self) -> str:
        return self.value


F32, I32, U32, BOOL = DType.F32, DType.I32, DType.U32, DType.BOOL


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape (row-major, outermost first; ``()`` is a scalar) and element type.

    An extent may be a size: a form over symbols. Text: ``f32[N,64,(H + 1) // 2,28]``.
    """

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
        return f"{self.dtype}[{','.join(map(size_text, self.shape))}]"

    @staticmethod
    def parse(text: str, sizes: Mapping[str, int] | None = None) -> TensorType:
        """Inverse of ``str``. Raises ValueError for anything else.

        Args:
            sizes: those that the extents may name.
        """
        match = re.fullmatch(r"(\w+)\[([^\[\]]*)\]", text)
        if match is None:
            raise ValueError(f"not a tensor type: {text!r}")
        return TensorType(parse_shape(match[2], sizes or {}), DType(match[1]))


def shape_text(shape: Sequence[int]) -> str:
    """A shape as messages show it: ``20 x 1 x 5 x 5``; of a scalar ``()``."""
    return " x ".join(map(str, shape)) or "()"
