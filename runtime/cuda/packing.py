"""Kernel arguments as the CUDA driver reads them: one pointer to each value's bytes."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence

_SLOT = 8  # bytes; the widest kind
_FORMATS = {
    "pointer": "<Q",
    "i32": "<i",
    "i64": "<q",
    "f32": "<f",
    "global_scratch": "<Q",
    "profile_scratch": "<Q",
}


class PackedArguments:
    """Values in fixed places, with the array of pointers that ``cuLaunchKernel`` takes.

    ``kinds`` are a binary's, hidden pointers included; these are null when ``values`` ends
    before them. Raises ValueError when a value does not fit its kind.
    """

    def __init__(self, kinds: Sequence[str], values: Sequence[int | float]) -> None:
        hidden = sum(kind.endswith("_scratch") for kind in kinds)
        if not len(kinds) - hidden <= len(values) <= len(kinds):
            raise ValueError(
                f"{len(values)} arguments given, the kernel takes {len(kinds) - hidden}"
            )
        self._kinds = tuple(kinds)
        self._bytes = ctypes.create_string_buffer(max(_SLOT * len(kinds), 1))
        base = ctypes.addressof(self._bytes)
        self.pointers = (ctypes.c_void_p * max(len(kinds), 1))(
            *(base + _SLOT * index for index in range(len(kinds)))
        )
        for index, value in enumerate(values):
            self.set(index, value)

    def set(self, index: int, value: int | float) -> None:
        """Replace one value; the next launch passes it."""
        kind = self._kinds[index]
        try:
            struct.pack_into(_FORMATS[kind], self._bytes, _SLOT * index, value)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"argument {index}: {value!r} is no {kind}: {error}") from error
