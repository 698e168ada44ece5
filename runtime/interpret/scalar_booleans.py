"""Mends Triton's interpreter where a comparison of scalars meets a tile.

Its result carries the type of what was compared, and would be spread as a tile of such numbers,
to which no boolean operation applies.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def mend_scalar_booleans() -> None:
    """Once for the process, which interprets."""
    import triton.language as tl
    from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

    splat: Any = InterpreterBuilder.create_splat

    def create_splat(self: Any, *arguments: Any) -> Any:
        return splat(self, *(boolean(a) for a in arguments))

    def boolean(argument: Any) -> Any:
        if isinstance(argument, TensorHandle) and argument.data.dtype == bool:
            return TensorHandle(argument.data, tl.int1)
        return argument

    InterpreterBuilder.create_splat = create_splat
