"""Rows picked by index, and their adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..op import Adjoint, Op, Property, register, require
from ..types import I32, TensorType

if TYPE_CHECKING:
    from ..build import Builder
    from ..graph import Value


@register
@dataclass(frozen=True)
class Gather(Op):
    """(table[R, D], rows[N] i32) -> [N, D]. Rows outside 0..R-1 give zeros."""

    name = "gather"
    properties = Property.LOCAL

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        table, rows = inputs
        require(table.rank == 2 and rows.rank == 1, f"{table} and {rows}; ranks 2 and 1 expected")
        require(rows.dtype is I32, f"row numbers are i32, not {rows.dtype}")
        return (TensorType((rows.shape[0], table.shape[1]), table.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        table, rows = inputs
        inside = (rows >= 0) & (rows < len(table))
        picked = table[np.where(inside, rows, 0)]
        return [np.where(inside[:, None], picked, 0).astype(table.dtype)]

    def gradient(self, b: Builder, at: Adjoint) -> Sequence[Value | None]:
        table, rows = at.inputs
        return [b.emit(ScatterAdd(table.shape[0]), at.cotangent, rows), None]


@register
@dataclass(frozen=True)
class ScatterAdd(Op):
    """(g[N, D], rows[N] i32) -> table[count, D]: rows of g added up where they belong."""

    count: int
    name = "scatter_add"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g, rows = inputs
        require(g.rank == 2 and rows.shape == g.shape[:1], f"{g} and {rows}")
        require(rows.dtype is I32, f"row numbers are i32, not {rows.dtype}")
        return (TensorType((self.count, g.shape[1]), g.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, rows = inputs
        inside = (rows >= 0) & (rows < self.count)
        total = np.zeros(results[0].shape, g.dtype)
        np.add.at(total, rows[inside], g[inside])
        return [total]

    def gradient(self, b: Builder, at: Adjoint) -> Sequence[Value | None]:
        return [b.emit(Gather(), at.cotangent, at.inputs[1]), None]
