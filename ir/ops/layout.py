"""Ops between a tensor in some layout and its memory as a tensor of one dimension.

What crosses from one graph to another is row-major. So what lies in memory in another order, such
as weights that are laid out once, crosses as the elements that memory holds, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..layout_numpy import array_of, memory_of
from ..op import Adjoint, GradientBuilder, Op, Property, register, require
from ..types import TensorType
from ..value import Value


@dataclass(frozen=True)
class _Packing(Op):
    """``type``: of the tensor, with its layout."""

    type: TensorType
    properties = Property.VIEW | Property.MOVEMENT

    @property
    def packed(self) -> TensorType:
        return TensorType((self.type.memory_size,), self.type.dtype)

    def may_alias(self, operand: tuple[int, ...], result: tuple[int, ...]) -> bool:
        return False  # one place in memory, but not by the order of the shapes


@register
@dataclass(frozen=True)
class Pack(_Packing):
    """The elements of a tensor in the order of memory; 0 where a block is filled up."""

    name = "pack"

    @property
    def properties(self) -> Property:  # type: ignore[override]
        """No view where blocks are filled up: nobody writes there, and the 0 has to be made."""
        filled = self.type.memory_size != self.type.size
        return Property.MOVEMENT if filled else Property.VIEW | Property.MOVEMENT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        require(inputs[0] == self.type.logical, f"{inputs[0]} is not packed as {self.type}")
        return (self.packed,)

    def viewed(self, operand: TensorType) -> TensorType | None:
        return self.packed if operand == self.type else None

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [memory_of(inputs[0], self.type)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [b.emit(Unpack(self.type), at.cotangent)]


@register
@dataclass(frozen=True)
class Unpack(_Packing):
    """The tensor of which :class:`Pack` gives these elements."""

    name = "unpack"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        require(inputs[0] == self.packed, f"{inputs[0]} is not the memory of {self.type}")
        return (self.type.logical,)

    def viewed(self, operand: TensorType) -> TensorType | None:
        return self.type if operand.layout is None else None

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return [array_of(inputs[0], self.type)]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [b.emit(Pack(self.type), b.copy(at.cotangent, self.type.layout))]
