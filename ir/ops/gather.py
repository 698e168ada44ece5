"""Rows picked by index, and rows put where an index says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, Property, register, require
from ..types import I32, TensorType
from ..value import Value


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
        if inside.all():
            return [table.take(rows, axis=0)]
        picked = np.zeros((len(rows), table.shape[1]), table.dtype)
        picked[inside] = table[rows[inside]]
        return [picked]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
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
        total = np.zeros(results[0].shape, g.dtype)
        order = np.argsort(rows, kind="stable")
        order = order[(rows[order] >= 0) & (rows[order] < self.count)]
        if order.size:
            # Runs of one row number are added up together; add.at is many times slower.
            sorted_rows = rows[order]
            starts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
            total[sorted_rows[starts]] = np.add.reduceat(g[order], starts, axis=0)
        return [total]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        return [b.emit(Gather(), at.cotangent, at.inputs[1]), None]


@register
@dataclass(frozen=True)
class ScatterLast(Op):
    """(g[P, M], places[P, M] i32, many[P] i32) -> [P, count]: in every row the first ``many``
    elements of g, each where its place is, of several in one place the last; zeros elsewhere.
    Places outside 0..count-1 are left out.

    No gradient flows: who reads this has a rule for elements that others overwrite.
    """

    count: int
    name = "scatter_last"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        g, places, many = inputs
        require(g.rank == 2 and places.shape == g.shape, f"{g} and {places}")
        require(many.shape == g.shape[:1], f"{g} and {many}")
        for other in (places, many):
            require(other.dtype is I32, f"numbers are i32, not {other.dtype}")
        return (TensorType((g.shape[0], self.count), g.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        g, places, many = inputs
        table = np.zeros(results[0].shape, g.dtype)
        row = np.arange(len(g), dtype=np.int64)[:, np.newaxis] * self.count
        taken = np.arange(g.shape[1]) < many[:, np.newaxis]
        inside = np.flatnonzero(taken & (places >= 0) & (places < self.count))[::-1]
        # The first of equal numbers, from the end; an assignment leaves open which one it keeps.
        numbers, firsts = np.unique((places + row).ravel()[inside], return_index=True)
        table.ravel()[numbers] = g.ravel()[inside[firsts]]
        return [table]
