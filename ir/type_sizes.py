"""Types of tensors at other sizes, without the graphs that they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .size import Evaluation, Size
from .types import TensorType


class TypeSubstitution:
    """Numbers for the symbols of sizes.

    Args:
        values: by the symbols' names.
    """

    def __init__(self, values: Mapping[str, int]) -> None:
        self._sizes = Evaluation(values)

    def type(self, type: TensorType) -> TensorType:
        shape = self._numbers(type.shape)
        return type if shape is type.shape else TensorType(shape, type.dtype, type.layout)

    def _numbers(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        for number in numbers:
            if number.__class__ is Size:
                size = self._sizes.size
                return tuple([size(d) if d.__class__ is Size else d for d in numbers])
        return numbers

    def number(self, number: Any) -> Any:
        """What a size or a real number is there."""
        return self._sizes.real(number)
