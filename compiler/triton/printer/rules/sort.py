"""The k largest of a row."""

from __future__ import annotations

from compiler.kernel import Config
from ir.graph import Node
from ir.ops.sort import TopK
from ir.types import F32

from ..kernels import Printed, Task
from ..single import SINGLES, input_pointer, result_pointer, single
from ..size import Size
from ..writer import Writer


@single(
    TopK,
    lambda node: node.inputs[0].shape[-1],
    Config((("BLOCK", 256),), 4),
    Config((("BLOCK", 1024),), 4),
)
def print_top_k(task: Task, node: Node, writer: Writer, tile: int) -> Printed:
    """Selects k times the largest of what comes after the last one selected.

    Value and place make one 64-bit key, so that order is total: NaN above all, of equal
    values the larger place first.
    """
    op = node.op
    assert isinstance(op, TopK)
    (x,) = node.inputs
    length = x.shape[-1]
    writer.reserve("BLOCK")
    writer.place(node.location)
    pointer = input_pointer(task, writer, node, 0)
    values, places = (result_pointer(task, writer, node, i) for i in range(2))
    constant = op.channel_axis(x.type.rank) == x.type.rank - 1
    extent = Size.of(length) if constant else writer.symbol(length, "length")
    size, count = writer.size(extent), writer.size(Size.of(op.k))
    program = writer.let(writer.program(0), "i", "row")
    lowest = "-9223372036854775808"
    last = writer.name("r", "last")
    writer.line(f"{last} = tl.full([1], 9223372036854775807, tl.int64)")
    turn, step = writer.name("k", "turn"), writer.name("k", "step")
    with writer.block(f"for {turn} in range({count}):"):
        best = writer.name("r", "best")
        writer.line(f"{best} = tl.full([BLOCK], {lowest}, tl.int64)")
        with writer.block(f"for {step} in range(0, {size}, BLOCK):"):
            place = writer.let(f"{step} + tl.arange(0, BLOCK)", "i", "place")
            inside = writer.let(f"{place} < {size}", "m", "inside")
            value = writer.let(
                f"tl.load({pointer} + {program} * {size} + {place}, mask={inside})", "x", "value"
            )
            order = f"{writer.helper('float_order')}({value})" if x.type.dtype is F32 else value
            key = writer.let(f"({order}.to(tl.int64) << 32) | {place}", "v", "key")
            later = writer.let(f"tl.where({inside} & ({key} < {last}), {key}, {lowest})", "v")
            writer.line(f"{best} = tl.maximum({best}, {later})")
        writer.line(f"{last} = tl.max({best}, 0, keep_dims=True)")
        winner = writer.let(f"({last} & 0xFFFFFFFF).to(tl.int32)", "i", "winner")
        spot = writer.let(f"{program} * {count} + {turn} + tl.zeros([1], tl.int32)", "i", "spot")
        if values:
            found = f"tl.load({pointer} + {program} * {size} + {winner})"
            writer.line(f"tl.store({values} + {spot}, {found})")
        if places:
            writer.line(f"tl.store({places} + {spot}, {winner})")
    return Printed(
        "top_k",
        ("BLOCK",),
        SINGLES[TopK].configs,
        tile,
        (x.type.size // length, 1, 1),
        tuple(task.outputs),
        f"{op.k} selections among {length}, one row per program",
    )
