"""In which order an interpreted launch runs its programs.

On a GPU they run in any order, and many at once. The interpreter runs one after the other, by
itself in ascending order: then a program that reads what a later one overwrites goes unnoticed.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Order = Callable[[int], Sequence[int]]
"""For a number of programs: these numbers, in the order in which they run."""

Grid = tuple[int, int, int]


def programs_in(order: Order, grid: Grid) -> list[Grid]:
    """The programs of a grid in an order. Raises ValueError where it is none of so many."""
    x, y, z = grid
    programs = list(itertools.product(range(x), range(y), range(z)))
    turns = order(math.prod(grid))
    if sorted(turns) != list(range(len(programs))):
        raise ValueError(f"no order of {len(programs)} programs: {list(turns)[:20]}")
    return [programs[turn] for turn in turns]


@contextlib.contextmanager
def ordered(programs: Sequence[Grid]) -> Iterator[None]:
    """Run a launch's programs in this order inside of the block."""
    from triton.runtime.interpreter import interpreter_builder as builder

    start: Any = builder.set_grid_idx
    coming = iter(programs)
    builder.set_grid_idx = lambda *_: start(*next(coming))
    try:
        yield
    finally:
        del builder.set_grid_idx  # the class's comes back
