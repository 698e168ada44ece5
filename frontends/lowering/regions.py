"""Where the cells of regions lie: rows (image, x1, y1, x2, y2), in units of the net's input, and a
grid of cells on each.

All is decided in f32, as Caffe does: a cell may begin at a whole number, and an element be in it or
not by the last bit. So a product is rounded before anything is added to it (:func:`rounded_times`),
which processors leave out where they can, and sizes are divided by literals, which all devices
round to the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr, Operand
from ir.graph import Value
from ir.types import F32, I32

from .context import LayerContext

LOWEST = -3.4028234663852886e38  # -FLT_MAX

RegionSide = tuple[Expr, Expr]
"""Of a region along an axis: the first coordinate, and the last."""
CellRule = Callable[[RegionSide, Expr], RegionSide]
"""Where a cell of this number begins, and where it ends."""


def rounded_times(a: Expr, b: Expr | float) -> Expr:
    """a * b, rounded: no processor takes the maximum of it and a number together with a sum."""
    return e.maximum(a * b, LOWEST)


def round_down(a: Expr) -> Expr:
    return e.unary("floor", a)


def round_up(a: Expr) -> Expr:
    return -round_down(-a)


def round_away(a: Expr) -> Expr:
    """The nearest whole number; halves go away from zero, as C's round has them."""
    size = e.absolute(a)
    whole = round_down(size)
    nearest = e.where(size - whole < 0.5, whole, whole + 1.0)
    return e.where(a < 0.0, -nearest, nearest)


def held_between(a: Expr, least: Operand, most: Operand) -> Expr:
    """Between both; ``least`` of what is no number."""
    return e.where(a > least, e.where(a < most, a, most), least)


def size_as_float(size: int) -> Expr:
    """A size, which may hold symbols, as a float."""
    return e.dyn(size, F32)


@dataclass(frozen=True)
class LayerRegions:
    """The regions of a layer, and the features that they lie on.

    Attributes:
        features: [N,C,H,W]. rows: [R,5]. count: R.
    """

    ctx: LayerContext
    features: Value
    rows: Value
    count: int

    @staticmethod
    def of(ctx: LayerContext) -> LayerRegions:
        """Of a layer whose bottoms are features and regions."""
        features, rows = ctx.bottoms
        ctx.check(
            features.type.rank == 4,
            f"'{ctx.layer.bottom[0]}' has shape {list(features.shape)}; four axes are expected",
            "bottom",
        )
        count = rows.shape[0] if rows.shape else 0
        ctx.check(
            bool(rows.shape) and rows.type.size == 5 * count,
            f"'{ctx.layer.bottom[1]}' has shape {list(rows.shape)}; rows of 5 numbers (image, x1, "
            "y1, x2, y2) are expected",
            "bottom",
            index=1,
        )
        return LayerRegions(ctx, features, ctx.b.reshape(rows, (count, 5)), count)

    def images(self) -> Value:
        """i32[R]: the image of each region, -1 for one that is none of the batch's."""
        first = e.arg(0)
        known = (first > -1.0) & (first < size_as_float(self.features.shape[0]))
        image = e.where(known, e.to_int(e.where(known, first, 0.0)), -1)
        return self.ctx.b.reshape(self.ctx.b.map(image, self._column(0)), (self.count,))

    def ends(self, axis: int, cells: int, rule: CellRule) -> Value:
        """i32[R, 2 * cells]: where the cells along an axis (0: down) begin, and where they end.

        ``rule`` says it of a region's side and a cell's number, in pixels of the features.
        """
        extent = size_as_float(self.features.shape[2 + axis])
        place = e.index(1)
        later = place >= cells
        cell = e.to_float(e.where(later, place - cells, place))
        begin, end = rule((e.arg(0), e.arg(1)), cell)
        found = e.to_int(held_between(e.where(later, end, begin), 0.0, extent))
        return self.ctx.b.map(found, *self._side(axis), shape=(self.count, 2 * cells))

    def extents(self, axis: int, ends: Value) -> Value:
        """How many pixels cells have along an axis, beside results: f32[R,1,rows,1] or
        f32[R,1,1,columns]."""
        b, cells = self.ctx.b, ends.shape[1] // 2
        halves = (b.slice(ends, 1, start, start + cells) for start in (0, cells))
        extent = b.map(e.to_float(e.arg(1, I32) - e.arg(0, I32)), *halves)
        return b.reshape(extent, (self.count, 1, *((1, cells) if axis else (cells, 1))))

    def weights(
        self, axis: int, cells: int, rule: Callable[[RegionSide, Expr, Expr], Expr]
    ) -> Value:
        """f32[R, cells, extent]: of each pixel of an axis in each cell.

        ``rule`` says it of a region's side, a cell's number and a pixel's.
        """
        b = self.ctx.b
        side = [b.reshape(value, (self.count, 1, 1)) for value in self._side(axis)]
        cell, pixel = e.to_float(e.index(1)), e.to_float(e.index(2))
        shape = self.count, cells, self.features.shape[2 + axis]
        return b.map(rule((e.arg(0), e.arg(1)), cell, pixel), *side, shape=shape)

    def _side(self, axis: int) -> Sequence[Value]:
        return self._column(2 - axis), self._column(4 - axis)

    def _column(self, which: int) -> Value:
        return self.ctx.b.slice(self.rows, 1, which, which + 1)
