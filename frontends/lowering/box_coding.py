"""How boxes are told relative to priors: SSD's three codes, as expressions.

A box is its lower corner (x1, y1) and its upper corner (x2, y2): an expression each, for tensors
whose last axis is (x, y). So is a code: for CORNER and CORNER_SIZE offsets of the two corners, for
CENTER_SIZE that of the centre and the logarithm of the size.

Source: weiliu89/caffe, ssd: src/caffe/util/bbox_util.cpp (EncodeBBox, DecodeBBox).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ir import expr as e
from ir.expr import Expr

CORNER, CENTER_SIZE, CORNER_SIZE = "CORNER", "CENTER_SIZE", "CORNER_SIZE"
CODES = (CORNER, CENTER_SIZE, CORNER_SIZE)


class Corners(NamedTuple):
    """The lower and the upper corner of a box, or the two halves of its code."""

    low: Expr
    high: Expr

    @property
    def size(self) -> Expr:
        return self.high - self.low

    @property
    def centre(self) -> Expr:
        return (self.low + self.high) * 0.5

    def scaled(self, factors: Corners) -> Corners:
        return Corners(self.low * factors.low, self.high * factors.high)

    def divided(self, factors: Corners) -> Corners:
        return Corners(self.low / factors.low, self.high / factors.high)


@dataclass(frozen=True)
class BoxCode:
    """One of :data:`CODES` relative to a prior, before variances."""

    code: str
    prior: Corners

    def encode(self, box: Corners) -> Corners:
        """What a prediction must be to stand for ``box``."""
        prior = self.prior
        if self.code == CENTER_SIZE:
            offset = (box.centre - prior.centre) / prior.size
            return Corners(offset, e.log(box.size / prior.size))
        offsets = Corners(box.low - prior.low, box.high - prior.high)
        if self.code == CORNER_SIZE:
            return offsets.divided(Corners(prior.size, prior.size))
        return offsets

    def decode(self, told: Corners) -> Corners:
        """The box for which a prediction stands."""
        prior = self.prior
        if self.code == CENTER_SIZE:
            centre = told.low * prior.size + prior.centre
            half = e.exp(told.high) * prior.size * 0.5
            return Corners(centre - half, centre + half)
        if self.code == CORNER_SIZE:
            told = told.scaled(Corners(prior.size, prior.size))
        return Corners(prior.low + told.low, prior.high + told.high)
