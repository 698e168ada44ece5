"""Element and tensor types of IR values."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .layout import Layout
from .size import parse_shape, size_text

_NUMPY = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "bf16": np.uint16,  # numpy has no such type: its bits
    "i32": np.int32,
    "u32": np.uint32,
    "bool": np.bool_,
}


class DType(enum.Enum):
    """Element type of a tensor; the value is its spelling in IR text.

    ``numpy`` is what arrays hold: of bf16 its bits. ``is_narrow``: a float of 16 bits, which is
    stored so and computed with in f32 (:mod:`ir.narrow`).
    """

    F64 = "f64"
    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"
    I32 = "i32"
    U32 = "u32"
    BOOL = "bool"

    def __init__(self, text: str) -> None:
        self.numpy: np.dtype[Any] = np.dtype(_NUMPY[text])
        self.itemsize: int = self.numpy.itemsize
        self.is_float: bool = self.numpy.kind == "f" or text == "bf16"
        self.is_narrow: bool = self.is_float and self.itemsize == 2

    __hash__ = object.__hash__  # each is one object, and Enum's own way is slow

    def __str__(self) -> str:
        return self.value


F32, I32, U32, BOOL = DType.F32, DType.I32, DType.U32, DType.BOOL
F16, BF16 = DType.F16, DType.BF16


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape (``()`` is a scalar), element type, and how memory holds the elements.

    An extent may be a size: a form over symbols. Text: ``f32[N,64,(H + 1) // 2,28]{0,2,3,1}``.
    ``layout``: None for row-major, the last axis innermost; a layout that says so becomes None.
    Raises ValueError for one that does not fit the shape.
    """

    shape: tuple[int, ...]
    dtype: DType = DType.F32
    layout: Layout | None = None

    def __post_init__(self) -> None:
        if self.layout is not None:
            self.layout.check(self.rank)
            if self.layout.is_row_major:
                object.__setattr__(self, "layout", None)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def memory_size(self) -> int:
        """Elements that memory holds: with those that fill up blocks."""
        if self.layout is None:
            return self.size
        return math.prod(digit.extent for digit in self.layout.digits(self.shape))

    @property
    def nbytes(self) -> int:
        """Of the memory that holds it."""
        return self.memory_size * self.dtype.itemsize

    @property
    def logical(self) -> TensorType:
        """The type without its layout: what ops see of it."""
        return self if self.layout is None else TensorType(self.shape, self.dtype)

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(size_text, self.shape))}]{self.layout or ''}"

    @staticmethod
    def parse(text: str, sizes: Mapping[str, int] | None = None) -> TensorType:
        """Inverse of ``str``. Raises ValueError for anything else.

        Args:
            sizes: those that the extents may name.
        """
        match = re.fullmatch(r"(\w+)[ \t]*\[([^\[\]]*)\][ \t]*(\{.*\})?", text)
        if match is None:
            raise ValueError(f"not a tensor type: {text!r}")
        layout = Layout.parse(match[3]) if match[3] else None
        return TensorType(parse_shape(match[2], sizes or {}), DType(match[1]), layout)


def shape_text(shape: Sequence[object]) -> str:
    """A shape as messages show it: ``20 x 1 x 5 x 5``; of a scalar ``()``."""
    return " x ".join(map(str, shape)) or "()"
