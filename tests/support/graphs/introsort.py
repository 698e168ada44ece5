"""Equal elements, ordered as C++ programs leave them."""

from __future__ import annotations

from ir.graph import Role
from ir.ops.introsort import IntroSort
from ir.types import F32, I32

from .arrays import QUARTERS, integers
from .growth import Growth, draws


@draws(IntroSort)
def draw_introsort(g: Growth) -> None:
    rows, length = g.number(1, 3), g.number(1, 40)
    x = g.input((rows, length), F32, QUARTERS, Role.DATA)
    marked = g.input((rows, length), I32, integers(0, 2), Role.DATA)
    wanted = g.input((rows,), I32, integers(0, 2), Role.DATA)
    g.emit(IntroSort(g.number(1, length), g.choice("median", "first")), x, marked, wanted)
