"""Mends Triton's interpreter where it meets bfloat16, which numpy does not have.

It would multiply bits of matrices, and cut bits off where GPUs round to the nearest number.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ir.narrow import narrowed
from ir.types import BF16


@functools.cache
def mend_narrow_floats() -> None:
    """Once for the process, which interprets."""
    import triton.language as tl
    from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

    dot: Any = InterpreterBuilder.create_dot
    truncate: Any = InterpreterBuilder.create_fp_trunc

    def create_dot(self: Any, a: Any, b: Any, *arguments: Any) -> Any:
        return dot(self, widened(self, a), widened(self, b), *arguments)

    def widened(builder: Any, factor: Any) -> Any:
        """float32 holds factors of 16 bits, and their products."""
        if factor.dtype.scalar not in (tl.bfloat16, tl.float16):
            return factor
        wide = builder.cast_impl(factor, tl.block_type(tl.float32, list(factor.data.shape)))
        return TensorHandle(wide.data, tl.float32)

    def create_fp_trunc(self: Any, source: Any, kind: Any) -> Any:
        if (source.dtype.scalar, kind.scalar) != (tl.float32, tl.bfloat16):
            return truncate(self, source, kind)
        numbers = source.data.astype(np.float32)  # it may hold some with more digits
        return TensorHandle(narrowed(numbers, BF16), tl.bfloat16)

    InterpreterBuilder.create_dot = create_dot
    InterpreterBuilder.create_fp_trunc = create_fp_trunc
