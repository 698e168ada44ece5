"""Rows picked by number, and rows added up where they belong."""

from __future__ import annotations

from compiler.kernel import Config
from ir import expr as e
from ir.graph import Node
from ir.ops.gather import Gather, ScatterAdd

from ..builder import KernelBuilder
from ..emitter import Access, Emission, Emitter, rule, zero
from ..expressions import across, any_lane, cdiv, constant, element, read
from ..index import Base, variable
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task


@rule(Gather)
def emit_gather(emitter: Emitter, node: Node, op: Gather, number: int, at: Access) -> Emission:
    table, rows = node.inputs
    (row, column), (count, width) = at.coordinates, at.extents
    picked = yield rows, Access((row,), (count,), at.guard)
    index = variable(Base(picked))
    height = emitter.builder.extent(table.shape[0], "rows")
    conditions = emitter.inside(index, True, height)
    access = Access((index, column), (height, width), at.guard).guarded(*conditions)
    found = yield table, access
    return emitter.chosen(conditions, found, zero(table.type.dtype))


@single(
    ScatterAdd,
    lambda node: node.output.shape[1],
    Config((("ROWS", 16), ("BLOCK", 64)), 4),
    Config((("ROWS", 16), ("BLOCK", 256)), 4),
)
def scatter_add_kernel(
    task: Task, node: Node, builder: KernelBuilder, config: Config
) -> KernelBody:
    """A program owns a stretch of one row and looks for its number among all.

    No atomics: the rows of ``g`` are added in their order. Where no number of a chunk fits,
    nothing of ``g`` is read.
    """
    rows = node.inputs[1]
    count, width = node.output.shape
    builder.place(node.location)
    g, numbers = (pointer_to(task, builder, v) for v in node.inputs)
    out = pointer_to(task, builder, node.output)
    size = builder.size(builder.extent(width, "width"))
    number = builder.size(builder.amount(rows.shape[0], "numbers"))
    program = builder.let(builder.program(), "i", "program")
    blocks = builder.let(cdiv(size, constant("BLOCK")), "i", "blocks")
    row = builder.let(program // blocks, "i", "row")
    start = program % blocks * constant("BLOCK")
    column = builder.let(start + builder.lanes("BLOCK", 1), "i", "column")
    inside = builder.let(column < size, "m", "inside")
    total = builder.declare(e.const(0.0), frozenset({0, 1}), "acc", "acc")
    with builder.loop(number, step=constant("ROWS"), hint="k") as step:
        place = builder.let(step + builder.lanes("ROWS", 0), "i", "place")
        there = builder.let(place < number, "m")
        found = builder.let(read(element(numbers, place, (there,)), -1), "x", "number")
        hit = builder.let(e.equal(found, row), "m", "hit")
        with builder.when(any_lane(hit)):
            source = element(g, place * size + column, (hit, inside))
            builder.increase(total, read(source, 0.0))
    target = element(out, row * size + column, (inside,))
    builder.store(target, across("sum", total, (0,)))
    programs = count * -(-width // config["BLOCK"])
    why = f"{count} rows look for their numbers among {rows.shape[0]}"
    return task.kernel(builder, "scatter_add", ("ROWS", "BLOCK"), config, (programs, 1), why)
