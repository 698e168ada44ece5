"""How tiles are reduced: start values, steps over tiles, the last step across a tile.

Partial results are tiles: every element of a tile gathers its own share over the loop,
and only at the end one value is made across the tile. That is fast and, as a tree, more
accurate than one running total.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.op import AxisFold
from ir.types import DType

from .builder import KernelBuilder
from .expressions import Axes, across, as_i32, computed
from .index import Affine

START = {"sum": (0, 0.0), "prod": (1, 1.0)}  # of integers, of floats
START |= {"max": (-(2**31), -math.inf), "min": (2**31 - 1, math.inf)}
_STEP = {"sum": "add", "prod": "mul", "max": "max", "min": "min"}


@dataclass(frozen=True, slots=True)
class Fold:
    """One reduction of a kernel. One that yields a place carries value and place."""

    by: AxisFold
    dtype: DType

    @property
    def kind(self) -> str:
        return self.by.kind

    @property
    def is_place(self) -> bool:
        return bool(self.by.tie)

    @property
    def start(self) -> Expr:
        """The value that changes nothing."""
        return e.const(START[self.kind][self.dtype.is_float], self.dtype)

    @property
    def beyond(self) -> Expr:
        """The place that no element has: any other is nearer."""
        return e.const(2**31 - 1 if self.by.tie == "first" else -1)

    @property
    def starts(self) -> tuple[Expr, ...]:
        return (self.start, self.beyond) if self.is_place else (self.start,)

    @classmethod
    def of(cls, node: Node) -> Fold:
        """The fold that a node of a reduction is."""
        assert node.op.fold is not None
        return cls(node.op.fold, computed(node.inputs[0].type.dtype))

    def place(self, builder: KernelBuilder, coordinates: Sequence[Affine]) -> Expr:
        """The coordinate of an element along the folded axis."""
        (axis,) = self.by.axes
        return as_i32(builder.affine(coordinates[axis]))

    def begin(self, builder: KernelBuilder, axes: Axes, hint: str) -> tuple[Expr, ...]:
        """Declare the tiles that gather."""
        # No element has been met; an all-infinite row still needs a valid place.
        hints = (hint, f"{hint}_place")
        return tuple(
            builder.declare(start, axes, "r", name)
            for start, name in zip(self.starts, hints, strict=False)
        )

    def step(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], taken: tuple[Expr, ...]
    ) -> None:
        """Take in one tile, of values and, if asked for, of their places."""
        if not self.is_place:
            (total,), (value,) = gathered, taken
            builder.assign(total, e.node(_STEP[self.kind], (total, value), None, self.dtype))
            return
        better = builder.let(self.before(taken, gathered), "m")
        for tile, new in zip(gathered, taken, strict=True):
            builder.assign(tile, e.where(better, new, tile))

    def before(self, a: tuple[Expr, ...], b: tuple[Expr, ...]) -> Expr:
        """Whether an element (value, place) wins over another: a total order."""
        (value, place), (best, where) = a, b
        nearer = value > best if self.kind == "max" else value < best
        equal = e.equal(value, best)
        if self.dtype.is_float:
            # NaN beats every number; of several the first or last counts like any tie.
            strange = e.not_equal(value, value)
            nearer = nearer | (strange & e.equal(best, best))
            equal = equal | (strange & e.not_equal(best, best))
        closer = place < where if self.by.tie == "first" else place > where
        return nearer | (equal & closer)

    def finish(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], axes: tuple[int, ...], hint: str
    ) -> tuple[Expr, ...]:
        """One result (kept with extent 1 along the tile's reduced axes)."""
        if not self.is_place:
            return (builder.let(across(self.kind, gathered[0], axes), "v", hint),)
        values, places = gathered
        best = builder.let(across(self.kind, values, axes), "v", f"{hint}_value")
        hit = e.equal(values, best)
        if self.dtype.is_float:
            hit = hit | (e.not_equal(values, values) & e.not_equal(best, best))
        nearest = "min" if self.by.tie == "first" else "max"
        hits = e.where(hit, places, self.beyond)
        return best, builder.let(across(nearest, hits, axes), "v", hint)
