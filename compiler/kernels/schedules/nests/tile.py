"""The dimensions of a nest's tile."""

from __future__ import annotations

from ...expressions import Axes

U, V = range(2)  # dimensions of a tile: vectors, and their lanes
TILE = ("U", "V")
ONE_VECTOR: Axes = frozenset({V})
MANY_VECTORS: Axes = frozenset({U, V})
