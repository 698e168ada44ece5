"""Anchors: boxes of a few shapes around every position of a map, in pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ir import expr as e
from ir.expr import Expr

from .chosen import chosen

Rounding = Callable[[float], float]


class Anchor(NamedTuple):
    """x1, y1, x2, y2 around the first position; the last pixel belongs to it."""

    x1: float
    y1: float
    x2: float
    y2: float


def away_from_zero(number: float) -> float:
    """To the nearest whole number, halves away from zero, as C's ``round``."""
    return math.copysign(math.floor(abs(number) + 0.5), number)


def to_even(number: float) -> float:
    """To the nearest whole number, halves to the even one, as numpy's ``round``."""
    return float(round(number))


def anchors_of(
    base: int, ratios: Sequence[float], scales: Sequence[float], rounded: Rounding
) -> list[Anchor]:
    """Around a square of ``base`` pixels: of every ratio (height / width) one of every scale.

    Sides are whole numbers before they are scaled. rbgirshick/py-faster-rcnn:
    lib/rpn/generate_anchors.py.
    """
    center = (base - 1) / 2.0
    found = []
    for ratio in ratios:
        width = rounded(math.sqrt(base * base / ratio))
        height = rounded(width * ratio)
        for scale in scales:
            across, down = (width * scale - 1) / 2.0, (height * scale - 1) / 2.0
            found.append(Anchor(center - across, center - down, center + across, center + down))
    return found


def anchors_at(
    anchors: Sequence[Anchor], row: Expr, column: Expr, number: Expr, stride: float
) -> tuple[Expr, Expr, Expr, Expr]:
    """x1, y1, x2, y2 of an anchor at a position."""
    across, down = e.to_float(column) * stride, e.to_float(row) * stride
    x1, y1, x2, y2 = (chosen(number, list(edge)) for edge in zip(*anchors, strict=True))
    return across + x1, down + y1, across + x2, down + y2
