"""The boxes of a MultiBoxLoss: priors, and what is predicted relative to them."""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from ..box_coding import BoxCode, Corners
from ..context import LayerContext
from .settings import Settings

Halves = tuple[Value, Value]
"""Corners (or halves of codes) of boxes, each with (x, y) as its last axis."""


def halves(ctx: LayerContext, boxes: Value) -> Halves:
    """Of (..., 4)."""
    last = boxes.type.rank - 1
    return ctx.b.slice(boxes, last, 0, 2), ctx.b.slice(boxes, last, 2, 4)


def corners(first: int) -> Corners:
    """The arguments number ``first`` and ``first + 1`` of a map."""
    return Corners(e.arg(first), e.arg(first + 1))


def fixed(first: int) -> Corners:
    """Likewise, of what gets no gradient."""
    return Corners(e.stop(e.arg(first)), e.stop(e.arg(first + 1)))


@dataclass(frozen=True)
class Boxes:
    """Predictions (N, P, L, 2 and 2), and of priors corners and variances (1, P, 1, 2 and 2)."""

    settings: Settings
    told: Halves
    prior: Halves
    variance: Halves

    @classmethod
    def of(cls, ctx: LayerContext, settings: Settings) -> Boxes:
        b, s = ctx.b, settings
        prior = b.reshape(ctx.bottoms[2], (2, 1, s.priors, 1, 4))
        parts = [b.reshape(b.slice(prior, 0, i, i + 1), (1, s.priors, 1, 4)) for i in (0, 1)]
        told = b.reshape(ctx.bottoms[0], (s.batch, s.priors, s.kinds, 4))
        return cls(s, halves(ctx, told), halves(ctx, parts[0]), halves(ctx, parts[1]))

    @property
    def values(self) -> tuple[Value, ...]:
        """What :meth:`of_arguments` takes to be the first six arguments."""
        return (*self.told, *self.prior, *self.variance)

    def decoded(self) -> Corners:
        """Where the predictions lie, as an expression of :attr:`values`."""
        told, prior, variance = corners(0), fixed(2), fixed(4)
        if not self.settings.param.encode_variance_in_target:
            told = told.scaled(variance)
        return BoxCode(self.settings.param.code_type, prior).decode(told)

    def differences(self, truth: Corners) -> Corners:
        """Predictions less what they should be, as an expression of :attr:`values`.

        With variances in the target SSD gives the predictions the diff of what it divided by them.
        """
        told, prior, variance = corners(0), fixed(2), fixed(4)
        wanted = BoxCode(self.settings.param.code_type, prior).encode(truth)
        if self.settings.param.encode_variance_in_target:
            away = Corners(told.low - wanted.low, told.high - wanted.high).divided(variance)
            return Corners(e.grad_as(away.low, told.low), e.grad_as(away.high, told.high))
        wanted = wanted.divided(variance)
        return Corners(told.low - wanted.low, told.high - wanted.high)

    def inside(self) -> tuple[Expr, Expr]:
        """Which coordinates of what is matched are within 0..1, likewise."""
        box = corners(2) if self.settings.param.use_prior_for_matching else self.decoded()
        low, high = ((x >= 0.0) & (x <= 1.0) for x in box)
        return low, high

    def predicted(self, ctx: LayerContext) -> Value:
        """(N, L, P, 4): where the predictions lie."""
        decoded = ctx.b.maps(self.decoded(), *self.values)
        return ctx.b.transpose(ctx.b.concat(decoded, 3), (0, 2, 1, 3))

    def priors(self, ctx: LayerContext) -> Value:
        """(1, P, 4)."""
        together = ctx.b.concat(self.prior, 3)
        return ctx.b.reshape(together, (1, self.settings.priors, 4))
