"""Ops printed alone: rows added up where they belong, the k largest of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.kernel import Config
from ir.graph import Node
from ir.op import Op
from ir.ops.gather import ScatterAdd
from ir.ops.sort import TopK
from ir.types import F32

from .kernels import Choice, Printed, Scheduled, Task, make_launch, preferring
from .size import Size
from .writer import Writer

Print = Callable[[Task, Node, Writer, int], Printed]


@dataclass(frozen=True, slots=True)
class Single:
    """How an op is printed alone: ``write`` takes the number of one of the configurations."""

    write: Print
    configs: tuple[Config, ...]
    length: Callable[[Node], int]  # of what a program walks along by its BLOCK

    def best(self, node: Node) -> int:
        """The first configuration whose block holds all, else the last."""
        blocks = [dict(config.constants)["BLOCK"] for config in self.configs]
        fitting = (i for i, block in enumerate(blocks) if self.length(node) <= block)
        return next(fitting, len(blocks) - 1)


SINGLES: dict[type[Op], Single] = {}


def _single(
    op: type[Op], length: Callable[[Node], int], *configs: Config
) -> Callable[[Print], Print]:
    def add(function: Print) -> Print:
        SINGLES[op] = Single(function, configs, length)
        return function

    return add


def schedule_single(task: Task, node: Node) -> Scheduled:
    if not {p.value for p in task.body.outputs} <= set(node.outputs):
        raise ValueError(f"{node.op.name} is printed alone")
    single = SINGLES[type(node.op)]
    return Scheduled(
        [Choice(i) for i in preferring(single.best(node), len(single.configs))],
        lambda choice: [make_launch(task, lambda t, w: single.write(t, node, w, choice.tile))],
    )


def _program(writer: Writer) -> str:
    return "tl.program_id(0)" + (".to(tl.int64)" if writer.wide else "")


def _pointer(task: Task, writer: Writer, node: Node, i: int) -> str:
    """Pointer to input ``i`` of the node, which is an input of the group."""
    value = node.inputs[i]
    for port, buffer in zip(task.body.inputs, task.inputs, strict=True):
        if port.value is value:
            return writer.pointer(buffer, value.type.dtype, port.name)
    raise ValueError(f"{node.op.name} reads {value}, which is made inside its group")


def _result(task: Task, writer: Writer, node: Node, i: int) -> str:
    """Pointer to where result ``i`` goes; empty where nobody reads it."""
    value = node.outputs[i]
    for port, buffer in zip(task.body.outputs, task.outputs, strict=True):
        if port.value is value:
            return writer.pointer(buffer, value.type.dtype, port.name)
    return ""


@_single(
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
    g_pointer, rows_pointer = _pointer(task, writer, node, 0), _pointer(task, writer, node, 1)
    out = _result(task, writer, node, 0)
    size = writer.size(Size.of(width))
    number = writer.size(writer.symbol(rows.shape[0], "numbers"))
    program = writer.let(_program(writer), "i", "program")
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


@_single(
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
    pointer = _pointer(task, writer, node, 0)
    values, places = (_result(task, writer, node, i) for i in range(2))
    constant = op.channel_axis(x.type.rank) == x.type.rank - 1
    extent = Size.of(length) if constant else writer.symbol(length, "length")
    size, count = writer.size(extent), writer.size(Size.of(op.k))
    program = writer.let(_program(writer), "i", "row")
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
