"""The k largest of a row."""

from __future__ import annotations

import math

from compiler.kernel import Config
from ir import expr as e
from ir.graph import Node
from ir.op import AxisFold
from ir.ops.sort import TopK

from ..builder import KernelBuilder
from ..expressions import as_computed, as_i32, computed, constant, element, read, spread
from ..folds import PlaceFold
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task


@single(
    TopK,
    lambda node: node.inputs[0].shape[-1],
    Config((("BLOCK", 256),), 4),
    Config((("BLOCK", 1024),), 4),
)
def top_k_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """Selects k times the largest of what comes after the last one selected.

    The order is total: NaN above all, of equal values the larger place first, or the smaller one.
    """
    op = node.op
    assert isinstance(op, TopK)
    (x,) = node.inputs
    length = x.shape[-1]
    builder.place(node.location)
    pointer = pointer_to(task, builder, x)
    size = builder.size(builder.extent(length, "length"))
    count = builder.size(builder.extent(op.k, "k"))
    row = builder.let(builder.program(), "i", "row")
    dtype = computed(x.type.dtype)
    fold = PlaceFold(AxisFold("max", (0,), op.tie), dtype)
    nearest = -1 if op.tie == "first" else 2**31 - 1
    first = e.const(math.nan if dtype.is_float else 2**31 - 1, dtype)  # is before all there are
    last = (
        builder.declare(first, frozenset(), "r", "last"),
        builder.declare(e.const(nearest), frozenset(), "r", "last_place"),
    )
    with builder.loop(count, hint="turn") as turn:
        best = fold.begin(builder, frozenset({0}), "best")
        with builder.loop(size, step=constant("BLOCK"), hint="step") as step:
            place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
            inside = builder.let(place < size, "m", "inside")
            value = builder.let(read(element(pointer, row * size + place, (inside,))), "x", "value")
            one = (as_computed(value), as_i32(place))
            later = builder.let(inside & fold.before(last, one), "m", "later")
            taken = [e.where(later, a, b) for a, b in zip(one, fold.starts, strict=True)]
            fold.step(builder, best, tuple(builder.let(t) for t in taken))
        found = fold.finish(builder, best, (0,), "winner")
        for gathered, selected in zip(last, found, strict=True):
            builder.assign(gathered, selected)
        spot = builder.let(spread(row * count + turn, frozenset()), "i", "spot")
        winner = read(element(pointer, row * size + found[1]))
        wanted = {port.value for port, _ in task.ports}
        for result, selected in zip(node.outputs, (winner, found[1]), strict=True):
            if result in wanted:
                builder.store(element(pointer_to(task, builder, result), spot), selected)
    why = f"{op.k} selections among {length}, one row per program"
    return task.kernel(builder, "top_k", ("BLOCK",), config, (x.type.size // length, 1), why)
