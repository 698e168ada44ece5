"""Whole axes summed up or compared, and rows picked or added by number."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Role, Value
from ir.ops.gather import Gather, ScatterAdd, ScatterLast
from ir.ops.reduction import ArgExtreme, Reduce
from ir.ops.sort import TopK
from ir.types import F32, I32

from .arrays import integers
from .growth import Growth, draws


def axes(g: Growth, rank: int) -> tuple[int, ...]:
    """Some axes, the last one first."""
    chosen = {rank - 1 - g.number(0, rank - 1)}
    chosen.update(i for i in range(rank) if g.number(0, 3) == 3)
    return tuple(sorted(chosen))


@draws(Reduce)
def draw_reduce(g: Growth) -> None:
    kind = g.choice("sum", "max", "min", "prod", "deviations")
    whole = kind not in ("prod", "deviations")
    x = g.value(4, 3, 2, 1, dtype=g.choice(F32, F32, F32, I32) if whole else F32)
    if kind == "prod":  # the derivative divides by the elements
        x = g.b.map(e.absolute(e.tanh(e.arg(0))) + 0.75, x)
    g.emit(Reduce(kind, axes(g, x.type.rank)), x)


@draws(ArgExtreme)
def draw_arg_extreme(g: Growth) -> None:
    x = g.value(4, 3, 2, 1, where=lambda v: all(v.shape[-1:]))
    filled = [i for i, d in enumerate(x.shape) if d]
    axis = g.choice(*filled[::-1]) if filled else None
    if axis is None:
        return
    g.emit(ArgExtreme(g.choice("max", "min"), axis, g.choice("first", "last")), x)


def _last(v: Value) -> bool:
    return v.shape[-1] > 0


@draws(TopK)
def draw_topk(g: Growth) -> None:
    x = g.value(2, 3, 4, 1, where=_last)
    g.emit(TopK(g.number(1, x.shape[-1]), g.choice("last", "first")), x)


@draws(Gather)
def draw_gather(g: Growth) -> None:
    table = g.value(2, dtype=g.choice(F32, F32, F32, I32))
    g.emit(Gather(), table, g.rows())


@draws(ScatterAdd)
def draw_scatter_add(g: Growth) -> None:
    x = g.value(2)
    g.emit(ScatterAdd(g.number(1, 6)), x, g.rows(x.shape[0]))


@draws(ScatterLast)
def draw_scatter_last(g: Growth) -> None:
    x = g.value(2)
    count = g.number(1, 6)
    places = g.input(x.shape, I32, integers(-1, count + 1), Role.DATA)
    many = g.input(x.shape[:1], I32, integers(0, 9), Role.DATA)
    g.emit(ScatterLast(count), x, places, many)
