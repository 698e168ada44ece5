"""Ops that compare rows, on the host. Whole numbers of quarters, and no averages of distances, so
that no comparison is within rounding of turning out otherwise."""

from __future__ import annotations

from ir.graph import Role
from ir.ops.centroids import MoveCentroids
from ir.ops.nearest import NearestByClass
from ir.ops.sequences import DrawSequences
from ir.types import F32, I32

from .arrays import QUARTERS, integers
from .growth import Growth, draws


@draws(MoveCentroids)
def draw_centroids(g: Growth) -> None:
    count, many = g.number(1, 4), g.number(1, 3)
    rows = g.input((count, 2), F32, QUARTERS, Role.DATA)
    labels = g.input((count,), I32, integers(0, 2), Role.DATA)
    centroids = g.input((3, 2), F32, QUARTERS, Role.DATA)
    seen = g.input((3,), F32, integers(0, 4), Role.DATA)
    g.emit(MoveCentroids(many), rows, labels, centroids, seen)


@draws(NearestByClass)
def draw_nearest(g: Growth) -> None:
    many = g.number(1, 4)
    rows = g.input((g.number(1, 3), 2), F32, QUARTERS, Role.DATA)
    stored = g.input((many, 2), F32, QUARTERS, Role.DATA)
    classes = g.input((many,), I32, integers(0, 2), Role.DATA)
    count = g.input((1,), I32, integers(0, 4), Role.DATA)
    g.emit(NearestByClass(3, 1), rows, stored, classes, count)


@draws(DrawSequences)
def draw_sequences(g: Growth) -> None:
    """Numbers that choose are quarters below 1, and both labels have rows beside the batch's."""
    count = g.number(1, 3)
    rows = g.input((count, 2), F32, QUARTERS, Role.DATA)
    labels = g.input((count,), I32, integers(0, 2), Role.DATA)
    cache = g.input((2, 3, 2), F32, QUARTERS, Role.DATA)
    counts = g.input((2,), F32, integers(1, 4), Role.DATA)
    drawn = g.input((count, 1), F32, integers(0, 1), Role.DATA)
    kind = g.choice(DrawSequences(True), DrawSequences(False), DrawSequences(False, True))
    g.emit(kind, rows, labels, cache, counts, drawn)
