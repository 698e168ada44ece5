"""Elements put where they belong, the last of those that belong there."""

from __future__ import annotations

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.gather import ScatterLast

from ..builder import KernelBuilder
from ..expressions import across, cdiv, constant, element, read
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task


@single(
    ScatterLast,
    lambda node: node.output.shape[1],
    Config((("ROWS", 16), ("BLOCK", 64)), 4),
    Config((("ROWS", 16), ("BLOCK", 256)), 4),
    lanes=True,
)
def scatter_last_kernel(
    task: Task, node: Node, builder: KernelBuilder, config: Config
) -> KernelBody:
    """One thread puts elements in their order; of many programs each owns a stretch of a row and
    looks at all elements of that row for the last one of each place."""
    if task.heuristic.one_thread:
        return _in_order(task, node, builder)
    (planes, count), many = node.output.shape, node.inputs[0].shape[1]
    builder.place(node.location)
    g, places, most, out = (pointer_to(task, builder, v) for v in (*node.inputs, node.output))
    size = builder.size(builder.extent(count, "count"))
    total = builder.size(builder.extent(many, "elements"))
    program = builder.let(builder.program(), "i", "program")
    blocks = builder.let(cdiv(size, constant("BLOCK")), "i", "blocks")
    plane = builder.let(program // blocks, "i", "plane")
    start = program % blocks * constant("BLOCK")
    target = builder.let(start + builder.lanes("BLOCK", 1), "i", "target")
    inside = builder.let(target < size, "m", "inside")
    last = builder.declare(e.const(-1), frozenset({0, 1}), "acc", "last")
    end = _end(builder, most, plane, total)
    with builder.loop(end, step=constant("ROWS"), hint="k") as step:
        at = builder.let(step + builder.lanes("ROWS", 0), "i", "at")
        there = builder.let(at < end, "m", "there")
        place = builder.let(read(element(places, plane * total + at, (there,)), -1), "x", "place")
        hit = builder.let(e.equal(place, target), "m", "hit")
        builder.assign(last, e.where(hit, at, last))
    winner = builder.let(across("max", last, (0,)), "i", "winner")
    found = builder.let(winner >= 0, "m", "found")
    value = read(element(g, plane * total + winner, (found, inside)), 0.0)
    builder.store(element(out, plane * size + target, (inside,)), value)
    programs = planes * -(-count // config["BLOCK"])
    why = f"{planes} rows of {count} places, of each the last of {many} elements"
    return task.kernel(builder, "scatter_last", ("ROWS", "BLOCK"), config, (programs, 1), why)


def _end(builder: KernelBuilder, most: Expr, plane: Expr, total: Expr) -> Expr:
    """How many elements of a row are looked at."""
    many = builder.let(read(element(most, plane)), "i", "many")
    return builder.let(e.minimum(many, total), "i", "end")


def _in_order(task: Task, node: Node, builder: KernelBuilder) -> KernelBody:
    (planes, count), many = node.output.shape, node.inputs[0].shape[1]
    builder.place(node.location)
    g, places, most, out = (pointer_to(task, builder, v) for v in (*node.inputs, node.output))
    size = builder.size(builder.extent(count, "count"))
    total = builder.size(builder.extent(many, "elements"))
    plane = builder.let(builder.program(), "i", "plane")
    with builder.loop(size, hint="place") as place:
        builder.store(element(out, plane * size + place), e.const(0.0, out.dtype))
    with builder.loop(_end(builder, most, plane, total), hint="k") as at:
        place = builder.let(read(element(places, plane * total + at)), "x", "place")
        known = builder.let((place >= 0) & (place < size), "m", "known")
        with builder.when(known):
            value = builder.let(read(element(g, plane * total + at)), "x", "value")
            builder.store(element(out, plane * size + place), value)
    why = f"{planes} rows of {count} places, {many} elements put there in their order"
    return task.kernel(builder, "scatter_last", (), Config(()), (planes, 1), why)
