"""Random graphs over all ops, for tests of passes, plans and executors.

:func:`graphs` is a hypothesis strategy: what fails shrinks to a few small ops. An op is drawn
by the function that :func:`draws` registers for it in one of the files here.
"""

from __future__ import annotations

from . import (
    centroids,
    detection,
    host,
    introsort,
    loops,
    movement,
    patterns,
    pointwise,
    products,
    reductions,
    regions,
    suppression,
    windows,
    winograd,
)
from .drawn import Drawn, trained
from .growth import DRAWERS, PATTERNS
from .strategy import examples, graphs

__all__ = ["DRAWERS", "PATTERNS", "Drawn", "examples", "graphs", "trained"]

del (
    centroids,
    detection,
    host,
    introsort,
    loops,
    movement,
    patterns,
    pointwise,
    products,
    reductions,
    regions,
    suppression,
    windows,
    winograd,
)  # they register their ops
