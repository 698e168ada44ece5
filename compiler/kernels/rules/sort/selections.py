"""A few largest of a row: selected one after the other."""

from __future__ import annotations

from compiler.kernel import Config
from ir import expr as e
from ir.op import AxisFold
from ir.types import I32

from ...expressions import as_i32, constant, spread
from ...folds import PlaceFold
from ...nodes import KernelBody
from .rows import RowsToSort


def select_kernel(row: RowsToSort, config: Config) -> KernelBody:
    """Selects as often the largest of what comes after the last one selected.

    The order is total: NaN above all, of equal values the larger place first, or the smaller one.
    """
    builder, tie = row.builder, row.op.tie
    program = builder.let(builder.program(), "i", "row")
    fold = PlaceFold(AxisFold("max", (0,), tie), I32)
    nearest = -1 if tie == "first" else 2**31 - 1
    last = (  # is before all there are
        builder.declare(e.const(2**31 - 1), frozenset(), "r", "last"),
        builder.declare(e.const(nearest), frozenset(), "r", "last_place"),
    )
    with builder.loop(row.count, hint="turn") as turn:
        best = fold.begin(builder, frozenset({0}), "best")
        with builder.loop(row.size, step=constant("BLOCK"), hint="step") as step:
            place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
            inside = builder.let(place < row.size, "m", "inside")
            key = builder.let(row.key(program, place, (inside,)), "x", "key")
            one = (key, as_i32(place))
            later = builder.let(inside & fold.before(last, one), "m", "later")
            taken = [e.where(later, a, b) for a, b in zip(one, fold.starts, strict=True)]
            fold.step(builder, best, tuple(builder.let(t) for t in taken))
        found = fold.finish(builder, best, (0,), "winner")
        for gathered, selected in zip(last, found, strict=True):
            builder.assign(gathered, selected)
        spot = builder.let(spread(program * row.count + turn, frozenset()), "i", "spot")
        row.tell(program, spot, found[1])
    why = f"{row.k} selections among {row.length}, one row per program"
    return row.task.kernel(builder, "top_k", ("BLOCK",), config, (row.rows, 1), why)
