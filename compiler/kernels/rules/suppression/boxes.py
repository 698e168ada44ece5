"""RowsOfBoxes of a :class:`~ir.ops.suppression.NonMaximum` as its kernels see them.

Decisions are those of single precision, operation by operation: no product is added to before it
is rounded, and quotients are the nearest floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from compiler.kernels.builder import KernelBuilder
from compiler.kernels.expressions import (
    any_lane,
    as_i32,
    as_rounded,
    element,
    nearest_quotient,
    read,
    spread,
)
from compiler.kernels.schedules.single import pointer_to
from compiler.kernels.task import Task
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.suppression import NonMaximum

SIDES = 4

_NOTHING = (math.inf, math.inf, -math.inf, -math.inf)
"""A box that overlaps none: it stands for one of which a side is no number."""


class SidesAndArea(NamedTuple):
    """Sides, and the area."""

    x1: Expr
    y1: Expr
    x2: Expr
    y2: Expr
    area: Expr


class Shared(NamedTuple):
    """The area that two boxes have in common, and that of both together."""

    common: Expr
    union: Expr


def _greater(a: Expr, b: Expr) -> Expr:
    return e.where(a > b, a, b)


def _lesser(a: Expr, b: Expr) -> Expr:
    return e.where(a < b, a, b)


@dataclass(frozen=True, slots=True)
class RowsOfBoxes:
    """The boxes of a node, for one of its kernels."""

    task: Task
    node: Node
    builder: KernelBuilder

    @property
    def op(self) -> NonMaximum:
        op = self.node.op
        assert isinstance(op, NonMaximum)
        return op

    @property
    def rows(self) -> int:
        return self.node.inputs[0].shape[0]

    @property
    def length(self) -> int:
        """RowsOfBoxes of a row."""
        return self.node.inputs[0].shape[1]

    @property
    def size(self) -> Expr:
        """The same."""
        return self.builder.size(self.builder.extent(self.length, "boxes"))

    @property
    def threshold(self) -> float:
        """That of the first box."""
        return float(np.float32(self.op.threshold))

    @property
    def falls(self) -> bool:
        """Whether the threshold becomes less."""
        return self.op.eta < 1.0 and self.threshold > 0.5

    def count(self, row: Expr) -> Expr:
        """The boxes that a row has."""
        counts = pointer_to(self.task, self.builder, self.node.inputs[1])
        said = self.builder.let(read(element(counts, row)), "x", "said")
        return self.builder.let(e.maximum(e.minimum(said, as_i32(self.size)), 0), "i", "count")

    def at(self, row: Expr, place: Expr, mask: tuple[Expr, ...] = ()) -> SidesAndArea:
        builder = self.builder
        boxes = pointer_to(self.task, builder, self.node.inputs[0])
        start = builder.let((row * self.size + place) * SIDES, "i", "start")
        names = SidesAndArea._fields[:SIDES]
        found = [
            builder.let(read(element(boxes, start + i, mask), 0.0 if mask else None), "x", name)
            for i, name in enumerate(names)
        ]
        known = e.equal(found[0], found[0])
        for side in found[1:]:
            known = known & e.equal(side, side)
        known = builder.let(known, "m", "known")
        x1, y1, x2, y2 = (
            builder.let(e.where(known, side, nothing), "x", name)
            for side, nothing, name in zip(found, _NOTHING, names, strict=True)
        )
        area = as_rounded(self._extent(x1, x2) * self._extent(y1, y2))
        there = (x2 >= x1) & (y2 >= y1)
        return SidesAndArea(x1, y1, x2, y2, builder.let(e.where(there, area, 0.0), "x", "area"))

    def _extent(self, first: Expr, last: Expr) -> Expr:
        extent = last - first
        return extent + float(self.op.pixel) if self.op.pixel else extent

    def shared(self, a: SidesAndArea, b: SidesAndArea) -> Shared:
        builder, zero = self.builder, e.const(0.0)
        width = self._extent(_greater(a.x1, b.x1), _lesser(a.x2, b.x2))
        height = self._extent(_greater(a.y1, b.y1), _lesser(a.y2, b.y2))
        width, height = builder.let(width, "v", "width"), builder.let(height, "v", "height")
        product = as_rounded(_greater(width, zero) * _greater(height, zero))
        common = builder.let(product, "v", "common")
        return Shared(common, builder.let(a.area + b.area - common, "v", "union"))

    def exceeds(self, shared: Shared, threshold: Expr) -> Expr:
        """Whether two boxes overlap too much."""
        common, union = shared
        overlap = e.where(union > 0.0, nearest_quotient(common, union), 0.0)
        return overlap >= threshold if self.op.touching else overlap > threshold

    def goes_on(self, there: Expr, found: Expr) -> Expr:
        """Whether something is there, and not yet as many were kept as may be. ``found``: of one
        element."""
        return any_lane(there & (found < self.op.most)) if self.op.most else there

    def wanted(self, number: int) -> Value | None:
        """A result, if somebody reads it."""
        result = self.node.outputs[number]
        return result if any(port.value is result for port, _ in self.task.ports) else None

    def tell(self, row: Expr, found: Expr) -> None:
        """How many of a row were kept."""
        result = self.wanted(1)
        if result is not None:
            totals = pointer_to(self.task, self.builder, result)
            spot = self.builder.let(spread(row, frozenset()), "i", "spot")
            self.builder.store(element(totals, spot), found)
