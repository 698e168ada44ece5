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


@contextlib.contextmanager
def ordered(grid: tuple[int, int, int], order: Order) -> Iterator[None]:
    """Run the programs of launches of this grid in the given order inside of the block."""
    from triton.runtime.interpreter import interpreter_builder as builder

    turns = order(math.prod(grid))
    if sorted(turns) != list(range(math.prod(grid))):
        raise ValueError(f"no order of the programs of a grid of {grid}: {list(turns)[:20]}")
    cells = list(itertools.product(*map(range, grid)))
    coming = (cells[turn] for turn in turns)
    start: Any = builder.set_grid_idx
    builder.set_grid_idx = lambda *_: start(*next(coming))
    try:
        yield
    finally:
        del builder.set_grid_idx  # the class's comes back
