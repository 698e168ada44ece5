"""Rows picked by number, and rows added up where they belong."""

from __future__ import annotations

from compiler.kernel import Config
from ir.graph import Node
from ir.ops.gather import Gather, ScatterAdd

from ..emitter import Access, Emission, Emitter, rule
from ..index import Base, variable
from ..kernels import Printed, Task
from ..single import SINGLES, input_pointer, result_pointer, single
from ..size import Size
from ..spelling import literal
from ..writer import Writer


@rule(Gather)
def emit_gather(emitter: Emitter, node: Node, number: int, at: Access) -> Emission:
    table, rows = node.inputs
    (row, column), (count, width) = at.coordinates, at.extents
    picked = yield rows, Access((row,), (count,), at.guard)
    index = variable(Base(picked, row.axes))
    height = emitter.writer.symbol(table.shape[0], "rows")
    conditions = emitter.inside(index, True, height)
    access = Access((index, column), (height, width), at.guard).guarded(*conditions)
    text = yield table, access
    return emitter.chosen(conditions, text, literal(0, table.type.dtype))


@single(
    ScatterAdd,
    lambda node: node.output.shape[1],
    Config((("ROWS", 16), ("BLOCK", 64)), 4),
    Config((("ROWS", 16), ("BLOCK", 256)), 4),
)
def print_scatter_add(task: Task, node: Node, writer: Writer, tile: int) -> Printed:
    """A program owns a stretch of one row and looks for its number among all.

    No atomics: the rows of ``g`` are added in their order. Where no number of a chunk fits,
    nothing of ``g`` is read.
    """
    rows = node.inputs[1]
    count, width = node.output.shape
    writer.reserve("ROWS", "BLOCK")
    writer.place(node.location)
    g_pointer, rows_pointer = (
        input_pointer(task, writer, node, 0),
        input_pointer(task, writer, node, 1),
    )
    out = result_pointer(task, writer, node, 0)
    size = writer.size(Size.of(width))
    number = writer.size(writer.symbol(rows.shape[0], "numbers"))
    program = writer.let(writer.program(0), "i", "program")
    blocks = writer.let(f"tl.cdiv({size}, BLOCK)", "i", "blocks")
    row = writer.let(f"{program} // {blocks}", "i", "row")
    column = writer.let(
        f"{program} % {blocks} * BLOCK + tl.arange(0, BLOCK)[None, :]", "i", "column"
    )
    inside = writer.let(f"{column} < {size}", "m", "inside")
    total = writer.name("acc", "acc")
    writer.line(f"{total} = tl.zeros([ROWS, BLOCK], tl.float32)")
    step = writer.name("k", "k")
    with writer.block(f"for {step} in range(0, {number}, ROWS):"):
        place = writer.let(f"{step} + tl.arange(0, ROWS)[:, None]", "i", "place")
        found = writer.let(
            f"tl.load({rows_pointer} + {place}, mask={place} < {number}, other=-1)", "x", "number"
        )
        hit = writer.let(f"{found} == {row}", "m", "hit")
        with writer.block(f"if tl.max(tl.max({hit}.to(tl.int32), 1), 0) > 0:"):
            writer.line(
                f"{total} += tl.load({g_pointer} + {place} * {size} + {column}, "
                f"mask={hit} & {inside}, other=0.0)"
            )
    writer.line(
        f"tl.store({out} + {row} * {size} + {column}, "
        f"tl.sum({total}, 0, keep_dims=True), mask={inside})"
    )
    configs = SINGLES[ScatterAdd].configs
    block = dict(configs[tile].constants)["BLOCK"]
    return Printed(
        "scatter_add",
        ("ROWS", "BLOCK"),
        configs,
        tile,
        (count * -(-width // block), 1, 1),
        tuple(task.outputs),
        f"{count} rows look for their numbers among {rows.shape[0]}",
    )
