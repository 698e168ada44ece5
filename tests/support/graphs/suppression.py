"""Boxes that overlap, and the largest of rows."""

from __future__ import annotations

from ir.graph import Role
from ir.ops.match import Match
from ir.ops.selection import Largest
from ir.ops.suppression import NonMaximum
from ir.types import F32, I32

from .arrays import QUARTERS, integers
from .growth import Growth, draws


@draws(NonMaximum)
def draw_non_maximum(g: Growth) -> None:
    """Whole numbers of quarters: no overlap is within rounding of a threshold."""
    rows, length = g.number(1, 3), g.number(1, 5)
    boxes = g.input((rows, length, 4), F32, QUARTERS, Role.DATA)
    counts = g.input((rows,), I32, integers(0, length + 1), Role.DATA)
    op = NonMaximum(
        g.choice(0.31, 0.74),
        eta=g.choice(1.0, 0.9),
        most=g.choice(0, 2),
        pixel=g.choice(0, 1),
        touching=g.choice(False, True),
    )
    g.emit(op, boxes, counts)


@draws(Match)
def draw_match(g: Growth) -> None:
    """Whole numbers of quarters, as above."""
    sets, length, rows = g.number(1, 3), g.number(1, 5), g.number(1, 4)
    boxes = g.input((g.choice(1, sets), length, 4), F32, QUARTERS, Role.DATA)
    truth = g.input((rows, 4), F32, QUARTERS, Role.DATA)
    owner = g.input((rows,), I32, integers(-1, sets), Role.DATA)
    op = Match(sets, g.choice(0.31, 0.74), rest=g.choice(True, False), inside=g.choice(False, True))
    g.emit(op, boxes, truth, owner)


@draws(Largest)
def draw_largest(g: Growth) -> None:
    rows, length = g.number(1, 3), g.number(1, 5)
    x = g.input((rows, length), F32, QUARTERS, Role.DATA)
    counts = g.input((rows,), I32, integers(0, length + 1), Role.DATA)
    g.emit(Largest(), x, counts)
