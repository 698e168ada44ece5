"""Elements added around a tensor, or cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ir.size import Size

from .writer import Writer


def padded(writer: Writer, name: str, low: Sequence[int], high: Sequence[int], number: Any) -> str:
    """``low`` and ``high`` elements of ``number`` along each axis; negative ones cut off.

    Args:
        number: of numpy, whose type is the tensor's.
    """
    if not any(isinstance(d, Size) or d for d in (*low, *high)):
        return name
    return writer.node(
        "Pad", [name, writer.shape([*low, *high]), writer.constant(number)], mode="constant"
    )
