"""Maps: broadcasts, several results, all element types."""

from __future__ import annotations

from ir.graph import Value
from ir.ops.pointwise import Map
from ir.types import BOOL, F32, I32, U32

from .expressions import Expressions
from .growth import Growth, draws, same_shape


@draws(Map)
def draw_map(g: Growth) -> None:
    if g.number(0, 9) == 9:
        fill(g)
        return
    first = g.value(*range(5), dtype=g.choice(F32, F32, I32, BOOL))
    inputs = [first]
    shape = first.shape
    for _ in range(g.number(0, 2)):
        other = g.choice(F32, F32, F32, I32, U32, BOOL)
        narrow = tuple(d if g.number(0, 3) < 3 else 1 for d in shape)
        inputs.append(
            g.value(len(shape), dtype=other, where=lambda v: _broadcasts(v, shape))
            if g.flag()
            else g.value(shape=narrow, dtype=other)
        )
        # What a new input is may not broadcast.
        if not _broadcasts(inputs[-1], shape):
            inputs[-1] = g.value(shape=narrow, dtype=other)
    # An axis that is 1 in all inputs may become longer.
    wide = tuple(g.extent() if d == 1 and g.number(0, 5) == 5 else d for d in shape)
    made = Expressions(g, inputs, len(wide))
    types = [g.choice(F32, F32, F32, I32, BOOL, U32) for _ in range(g.choice(1, 1, 1, 2, 3))]
    g.emit(Map(tuple(made.of(t) for t in types), wide), *inputs)


def fill(g: Growth) -> None:
    """Of no inputs: literals, places, random numbers."""
    rank = g.number(0, 4)
    shape = tuple(g.extent() for _ in range(rank))
    made = Expressions(g, [], rank)
    g.emit(Map((made.of(g.choice(F32, I32, BOOL)),), shape))


def _broadcasts(value: Value, shape: tuple[int, ...]) -> bool:
    return all(
        same_shape((d,), (1,)) or same_shape((d,), (full,))
        for d, full in zip(value.shape, shape, strict=True)
    )
