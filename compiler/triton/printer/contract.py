"""The contract schedule: one matrix product in tiles by ``tl.dot``, and its epilogue.

There is one loop, over the whole depth (all channels and taps of a convolution at once):
only such loops are software-pipelined. Where the tiles are too few to fill a device the
depth is split over programs; partial results go to scratch memory, and a second launch
adds them in fixed order and computes the epilogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compiler.kernel import Config, Launch, Scratch
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.types import F32

from .emitter import Access, Emitter
from .flat import flat_schedule, padded_count, tiles_for
from .index import Base, Bound, Condition, linearize
from .kernels import Choice, Printed, Schedule, Scheduled, Task, make_launch, preferring
from .products import UNTILED, Product, product_of
from .size import Size
from .writer import Writer

# (rows, columns, depth) of a tile, warps, stages. On float32 the compiler multiplies without
# matrix units and holds a whole depth of both operands in registers: 16, the least it takes.
# Triton 3.9 keeps all of these in registers for sm_80 and sm_90; 3.6 spills a few bytes here
# and there in the largest.
TILES = (
    ((32, 32, 16), 4, 3),
    ((64, 64, 16), 8, 3),
    ((128, 128, 16), 8, 2),
)
FEW_TILES = 2  # of these a kernel owns whose index arithmetic takes many registers
CONFIGS = {
    few: tuple(
        Config((("M", m), ("N", n), ("K", k), ("SPLIT", split)), warps, stages)
        for split in (0, 1)
        for (m, n, k), warps, stages in (TILES[:FEW_TILES] if few else TILES)
    )
    for few in (False, True)
}
MOST_SPLITS = 16
SHORTEST_SHARE = 8  # steps of the loop that a split keeps at least


@dataclass(frozen=True, slots=True)
class ContractPlan:
    """Numbers of one launch."""

    config: int
    programs: int
    splits: int
    share: int  # depth that one program covers


def anchor_of(body: Graph) -> Node:
    found = [n for n in body.nodes if Property.CONTRACTION in n.op.properties]
    if len(found) != 1:
        raise ValueError(f"a contract group has one contraction, not {len(found)}")
    return found[0]


def contract_choices(view: Product, seconds: Sequence[int], processors: int) -> list[Choice]:
    """Every tile, each with the whole depth in one program and in parts of it.

    ``seconds``: tiles of the kernel that adds up the parts, the best first.
    """
    tiles = TILES[:FEW_TILES] if view.strided else TILES
    choices: list[Choice] = []
    for tile in preferring(_best_tile(view, len(tiles), processors), len(tiles)):
        wanted = _splits_for(view, tile, processors)
        for splits in (wanted, 2 if wanted == 1 else 1):
            if splits == 1:
                choices.append(Choice(tile))
            elif splits <= _steps(view, tile):
                choices += [Choice(tile, splits, second) for second in seconds]
    return choices


def _best_tile(view: Product, count: int, processors: int) -> int:
    """The largest tile that still gives every processor something to do, no larger than the
    matrix needs."""
    rows, columns = view.rows.value, view.columns.value
    best = 0
    for i in range(1, count):
        height, width, _ = TILES[i][0]
        wasted = rows <= height // 2 or columns <= width // 2
        if not wasted and _programs(view, i) >= processors:
            best = i
    if best == 0 and rows > 32 and columns > 32 and view.depth.value >= 512:
        return 1  # splitting the depth will fill the device
    return best


def _splits_for(view: Product, tile: int, processors: int) -> int:
    total = _programs(view, tile)
    if not 0 < total < processors:
        return 1
    longest = _steps(view, tile) // SHORTEST_SHARE
    return max(1, min(MOST_SPLITS, 2 * processors // total, longest))


def _programs(view: Product, tile: int) -> int:
    height, width, _ = TILES[tile][0]
    return view.count.value * -(-view.rows.value // height) * -(-view.columns.value // width)


def _steps(view: Product, tile: int) -> int:
    return -(-view.depth.value // TILES[tile][0][2])


def contract_plan(view: Product, choice: Choice) -> ContractPlan:
    depth, step = view.depth.value, TILES[choice.tile][0][2]
    share = max(-(-_steps(view, choice.tile) // choice.splits), 1) * step
    splits = max(-(-depth // share), 1)
    unsplit = FEW_TILES if view.strided else len(TILES)
    config = choice.tile + (unsplit if splits > 1 else 0)
    return ContractPlan(config, _programs(view, choice.tile), splits, share)


def schedule_contract(task: Task) -> Scheduled:
    anchor = anchor_of(task.body)
    other = UNTILED.get(type(anchor.op))
    if other is not None and (scheduled := other(task, anchor)) is not None:
        return scheduled
    view = product_of(Emitter(task.body, Writer.silent(), ""), anchor)
    size = anchor.output.type.size

    def launches(choice: Choice) -> list[Launch]:
        plan = contract_plan(view, choice)
        elements = plan.splits * padded_count(size) if plan.splits > 1 else 16
        partial = Scratch(0, elements * F32.itemsize)
        first = make_launch(task, _product(anchor, plan, partial))
        if plan.splits == 1:
            return [first]
        return [first, make_launch(task, _sum(anchor, plan, partial, choice.second), ".sum")]

    processors = task.options.target.processors
    return Scheduled(contract_choices(view, tiles_for(task, size), processors), launches)


def _product(anchor: Node, plan: ContractPlan, partial: Scratch) -> Schedule:
    """The launch that multiplies."""

    def schedule(task: Task, writer: Writer) -> Printed:
        writer.reserve("M", "N", "K", "SPLIT")
        emitter = Emitter(task.body, writer, "[M, N]")
        emitter.bind(task.inputs)
        view = product_of(emitter, anchor)
        row, column, which = _tile(writer, view)
        writer.place(anchor.location)
        total = _accumulate(emitter, anchor, view, row, column, which, plan, task.options.precision)
        access = view.result(row, column, which)
        inside = tuple(b() for base in (row, column) for b in base.bounds)
        access = access.guarded(*inside)
        index = linearize(access.coordinates, access.extents)
        with writer.block("if SPLIT:"):
            pointer = writer.pointer(partial, F32, "partial")
            stride = writer.size(
                writer.symbol(padded_count(anchor.output.type.size), "padded_count"), divisible=True
            )
            split = writer.let(writer.program(1), "i", "split")
            mask = " & ".join(c.name for c in access.guard)
            address = emitter.address(f"{pointer} + {split} * {stride}", index, access.guard)
            writer.line(f"tl.store({address}, {total}, mask={mask})")
        with writer.block("else:"):
            emitter.preset(anchor.output, access, total)
            for port, buffer in zip(task.body.outputs, task.outputs, strict=True):
                text = emitter.emit(port.value, access)
                emitter.store(buffer, port.name, index, text, access.guard)
        return Printed(
            name=anchor.op.name,
            constants=("M", "N", "K", "SPLIT"),
            configs=CONFIGS[view.strided],
            choice=plan.config,
            grid=(plan.programs, plan.splits, 1),
            writes=(partial,) if plan.splits > 1 else tuple(task.outputs),
            why=_why(view, plan),
        )

    return schedule


def _why(view: Product, plan: ContractPlan) -> str:
    shape = f"{view.rows.value} x {view.depth.value} by {view.depth.value} x {view.columns.value}"
    text = f"{view.count.value} product(s) {shape} in {plan.programs} tiles"
    if plan.splits > 1:
        text += f", depth split {plan.splits} ways to fill the device"
    return text


def _tile(writer: Writer, view: Product) -> tuple[Base, Base, Base]:
    """Rows, columns and product number of this program."""
    program = writer.let(writer.program(0), "i", "program")
    rows, columns = writer.size(view.rows), writer.size(view.columns)
    down = writer.let(f"tl.cdiv({rows}, M)", "i", "tiles_down")
    across = writer.let(f"tl.cdiv({columns}, N)", "i", "tiles_across")
    which = "0"
    tile = program
    if view.count.constant != 1:
        which = writer.let(f"{program} // ({down} * {across})", "i", "product")
        tile = writer.let(f"{program} % ({down} * {across})", "i", "tile")
    # Eight tiles of rows at a time share the columns they read (and the second-level cache).
    writer.comment("groups of 8 tiles downwards share their columns in the cache")
    group = writer.let(f"{tile} // (8 * {across}) * 8", "i", "group")
    height = writer.let(f"tl.minimum({down} - {group}, 8)", "i", "height")
    local = writer.let(f"{tile} % (8 * {across})", "i", "local")
    y = writer.let(f"{group} + {local} % {height}", "i", "tile_row")
    x = writer.let(f"{local} // {height}", "i", "tile_column")
    row = writer.let(f"{y} * M + tl.arange(0, M)[:, None]", "i", "row")
    column = writer.let(f"{x} * N + tl.arange(0, N)[None, :]", "i", "column")
    return (
        Base(row, frozenset({0}), (_bound(writer, row, rows, 0),)),
        Base(column, frozenset({1}), (_bound(writer, column, columns, 1),)),
        Base(which),
    )


def _bound(writer: Writer, name: str, size: str, axis: int) -> Bound:
    def bound() -> Condition:
        return writer.condition(f"{name} < {size}", frozenset({axis}))

    return bound


def _accumulate(
    emitter: Emitter,
    anchor: Node,
    view: Product,
    row: Base,
    column: Base,
    which: Base,
    plan: ContractPlan,
    precision: str,
) -> str:
    """The loop over the depth; gives the name of the tile of sums."""
    writer = emitter.writer
    for base in (row, column):
        for bound in base.bounds:
            bound()
    # Divisions of positions stay outside the loop (what is not needed is dropped again).
    access = view.result(row, column, which)
    for index in (*access.coordinates, linearize(access.coordinates, access.extents)):
        writer.affine(index)
    # A multiple of every tile's depth, so that addresses along the depth are seen aligned.
    share = writer.size(writer.symbol(plan.share, "share"), divisible=True)
    depth = writer.size(view.depth)
    start = writer.let(f"{writer.program(1)} * {share}", "i", "start")
    end = writer.let(f"tl.minimum({start} + {share}, {depth})", "i", "end")
    total = writer.name("acc", "acc")
    writer.line(f"{total} = tl.zeros([M, N], tl.float32)")
    step = writer.name("k", "k")
    with writer.block(f"for {step} in range({start}, {end}, K):"):
        left_depth = _depth(writer, step, 1, view.depth)
        right_depth = _depth(writer, step, 0, view.depth)
        left, read_left = view.left
        right, read_right = view.right
        a = _operand(emitter, left, read_left(row, left_depth, which), (row, left_depth))
        b = _operand(emitter, right, read_right(right_depth, column, which), (right_depth, column))
        writer.line(f'{total} = tl.dot({a}, {b}, {total}, input_precision="{precision}")')
    return total


def _depth(writer: Writer, step: str, axis: int, depth: Size) -> Base:
    view = "[:, None]" if axis == 0 else "[None, :]"
    name = writer.let(f"{step} + tl.arange(0, K){view}", "i", "deep")
    deepest = max(tile[2] for tile, _, _ in TILES)
    if depth.constant is not None and depth.constant % deepest == 0:
        return Base(name, frozenset({axis}))
    return Base(name, frozenset({axis}), (_bound(writer, name, writer.size(depth), axis),))


def _operand(emitter: Emitter, value: Value, access: Access, bases: tuple[Base, Base]) -> str:
    """A tile of an operand: 0 outside the matrix and in a convolution's padding."""
    inside = tuple(b() for base in bases for b in base.bounds)
    access = access.guarded(*inside)
    text = emitter.emit(value, access)
    if not emitter.is_load(value):
        text = emitter.chosen(access.guard, text, "0.0")
    return text


def _sum(anchor: Node, plan: ContractPlan, partial: Scratch, tile: int) -> Schedule:
    """The second launch: a flat kernel that starts from the sum of the partial results."""

    def start(emitter: Emitter, access: Access) -> str:
        writer = emitter.writer
        count = padded_count(anchor.output.type.size)
        stride = writer.size(writer.symbol(count, "padded_count"), divisible=True)
        splits = writer.size(writer.symbol(plan.splits, "splits"))
        index = linearize(access.coordinates, access.extents)
        pointer = writer.pointer(partial, F32, "partial")
        mask = emitter.mask(index, ())
        total = writer.name("acc", "acc")
        writer.line(f"{total} = tl.zeros({emitter.tile}, tl.float32)")
        split = writer.name("k", "split")
        with writer.block(f"for {split} in range({splits}):"):
            address = f"{pointer} + {split} * {stride} + {writer.affine(index)}"
            writer.line(f"{total} += tl.load({address}, mask={mask})")
        return total

    return flat_schedule(
        {anchor.output: start},
        tile,
        name="sum_partials",
        why=f"adds the {plan.splits} partial sums in fixed order",
    )
