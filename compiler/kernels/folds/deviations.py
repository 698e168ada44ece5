"""Sums of squared deviations from a mean that is found in the same pass.

Parts carry how many elements they are of, their mean, and the sum; two of them become one as in
T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing
sample variances", 1979. Means are those of distances from one of the elements: they are about as
large as deviations, and not rounded like numbers that are far from zero. So the sum is as exact as
by a second pass.
"""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr

from ..builder import KernelBuilder
from ..emitter import Access, Emitter
from ..expressions import Axes, across, every
from .fold import Fold


class DeviationFold(Fold):
    """Carries the number of elements, their mean distance from the origin, and the sum of squared
    deviations."""

    @property
    def start(self) -> Expr:
        return e.const(0.0, self.dtype)

    @property
    def from_origin(self) -> bool:
        return True

    @property
    def starts(self) -> tuple[Expr, ...]:
        return (self.start,) * 3

    def begin(
        self, builder: KernelBuilder, axes: Axes, hint: str, reduced: Axes | None = None
    ) -> tuple[Expr, ...]:
        count = builder.declare(self.start, axes if reduced is None else reduced, "r", "count")
        names = (f"{hint}_mean", hint)
        return (count, *(builder.declare(self.start, axes, "r", name) for name in names))

    def taken(
        self,
        emitter: Emitter,
        value: Expr,
        at: Access,
        inside: tuple[Expr, ...],
        origin: Expr | None = None,
    ) -> tuple[Expr, ...]:
        if origin is not None:
            value = emitter.builder.let(value - origin, "v")
        one = e.const(1.0, self.dtype)
        if inside:
            one = emitter.builder.let(e.where(every(inside), one, self.start), "v", "one")
        return one, emitter.chosen(inside, value, self.start), self.start

    def step(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], taken: tuple[Expr, ...]
    ) -> None:
        (count, mean, total), (more, other, own) = gathered, taken
        both = builder.now(count + more, "count")
        part = builder.now(more / _at_least_one(both), "part")
        weight = builder.now(count * part, "weight")
        away = builder.now(other - mean, "away")
        spread = away * (away * weight)
        builder.assign(mean, mean + away * part)
        builder.assign(total, total + (spread if own.op == "const" else own + spread))
        builder.assign(count, both)

    def finish(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], axes: tuple[int, ...], hint: str
    ) -> tuple[Expr, ...]:
        counts, means, totals = gathered
        count = builder.let(across("sum", counts, axes), "v", "count")
        whole = across("sum", counts * means, axes)
        mean = builder.let(whole / _at_least_one(count), "v", f"{hint}_mean")
        away = builder.let(means - mean, "v", "away")
        total = across("sum", totals + away * away * counts, axes)
        return count, mean, builder.let(total, "v", hint)


def _at_least_one(count: Expr) -> Expr:
    """What to divide by: a part of nothing is nothing."""
    return e.where(count > 1.0, count, 1.0)
