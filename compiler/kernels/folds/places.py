"""Extremes of which the place is asked for."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr

from ..builder import KernelBuilder
from ..emitter import Access, Emitter
from ..expressions import Axes, across, as_i32
from .fold import Fold


class PlaceFold(Fold):
    """Carries value and place."""

    @property
    def beyond(self) -> Expr:
        """The place that no element has: any other is nearer."""
        return e.const(2**31 - 1 if self.by.tie == "first" else -1)

    @property
    def starts(self) -> tuple[Expr, ...]:
        return (self.start, self.beyond)

    def begin(
        self, builder: KernelBuilder, axes: Axes, hint: str, reduced: Axes | None = None
    ) -> tuple[Expr, ...]:
        # No element has been met; an all-infinite row still needs a valid place.
        hints = (hint, f"{hint}_place")
        return tuple(
            builder.declare(start, axes, "r", name)
            for start, name in zip(self.starts, hints, strict=True)
        )

    def taken(
        self,
        emitter: Emitter,
        value: Expr,
        at: Access,
        inside: tuple[Expr, ...],
        origin: Expr | None = None,
    ) -> tuple[Expr, ...]:
        (axis,) = self.by.axes
        place = as_i32(emitter.builder.affine(at.coordinates[axis]))
        value = emitter.chosen(inside, value, self.start)
        return value, emitter.chosen(inside, place, self.beyond)

    def step(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], taken: tuple[Expr, ...]
    ) -> None:
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
        values, places = gathered
        best = builder.let(across(self.kind, values, axes), "v", f"{hint}_value")
        hit = e.equal(values, best)
        if self.dtype.is_float:
            hit = hit | (e.not_equal(values, values) & e.not_equal(best, best))
        nearest = "min" if self.by.tie == "first" else "max"
        hits = e.where(hit, places, self.beyond)
        return best, builder.let(across(nearest, hits, axes), "v", hint)
