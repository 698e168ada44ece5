"""The contract schedule: one matrix product in tiles by ``tl.dot``, and its epilogue.

There is one loop, over the whole depth (all channels and taps of a convolution at once):
only such loops are software-pipelined. Where the tiles are too few to fill a device the
depth is split over programs; partial results go to scratch memory, and a second launch
adds them in fixed order and computes the epilogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.types import F32

from ..builder import KernelBuilder
from ..emitter import Access, Emitter
from ..expressions import cdiv, constant, dot, element, read
from ..index import Base, linearize
from ..nodes import KernelBody
from ..products import UNTILED, Product, product_of
from ..size import Size
from ..task import Choice, Scheduled, Task, preferring
from .flat import flat_kernel, padded_count, tiles_for

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
    view = product_of(Emitter(task.body, task.builder()), anchor)
    size = anchor.output.type.size

    def kernels(choice: Choice) -> list[KernelBody]:
        plan = contract_plan(view, choice)
        elements = plan.splits * padded_count(size) if plan.splits > 1 else 16
        partial = Scratch(0, elements * F32.itemsize)
        first = _product(task, anchor, plan, partial)
        if plan.splits == 1:
            return [first]
        return [first, _sum(task, anchor, plan, partial, choice.second)]

    processors = task.options.target.processors
    return Scheduled(contract_choices(view, tiles_for(task, size), processors), kernels)


def _product(task: Task, anchor: Node, plan: ContractPlan, partial: Scratch) -> KernelBody:
    """The launch that multiplies."""
    builder = task.builder()
    emitter = Emitter(task.body, builder, 2)
    emitter.bind(task.inputs)
    view = product_of(emitter, anchor)
    row, column, which = _tile(builder, view)
    builder.place(anchor.location)
    total = _accumulate(emitter, view, (row, column, which), plan, task.options.precision)
    access = view.result(row, column, which)
    access = access.guarded(*(b() for base in (row, column) for b in base.bounds))
    index = linearize(access.coordinates, access.extents)
    with builder.when(constant("SPLIT")):
        pointer = builder.pointer(partial, F32, "partial")
        stride = _stride(builder, anchor)
        split = builder.let(builder.program(1), "i", "split")
        place = element(pointer, split * stride + builder.affine(index), access.guard)
        builder.store(place, total, emitter.spreads(index, access.guard))
    with builder.otherwise():
        emitter.preset(anchor.output, access, total)
        for port, buffer in zip(task.body.outputs, task.outputs, strict=True):
            result = emitter.emit(port.value, access)
            emitter.store(buffer, port.name, index, result, access.guard)
    return KernelBody(
        name=anchor.op.name,
        body=builder.body,
        tile=("M", "N"),
        constants=("M", "N", "K", "SPLIT"),
        configs=CONFIGS[view.strided],
        config=plan.config,
        grid=(plan.programs, plan.splits, 1),
        writes=(partial,) if plan.splits > 1 else tuple(task.outputs),
        why=_why(view, plan),
        wide=builder.wide,
    )


def _stride(builder: KernelBuilder, anchor: Node) -> Expr:
    """Elements from one partial result to the next."""
    count = builder.symbol(padded_count(anchor.output.type.size), "padded_count")
    return builder.size(count, divisible=True)


def _why(view: Product, plan: ContractPlan) -> str:
    shape = f"{view.rows.value} x {view.depth.value} by {view.depth.value} x {view.columns.value}"
    text = f"{view.count.value} product(s) {shape} in {plan.programs} tiles"
    if plan.splits > 1:
        text += f", depth split {plan.splits} ways to fill the device"
    return text


def _tile(builder: KernelBuilder, view: Product) -> tuple[Base, Base, Base]:
    """Rows, columns and product number of this program."""
    m, n = constant("M"), constant("N")
    program = builder.let(builder.program(), "i", "program")
    rows, columns = builder.size(view.rows), builder.size(view.columns)
    down = builder.let(cdiv(rows, m), "i", "tiles_down")
    across = builder.let(cdiv(columns, n), "i", "tiles_across")
    which: Expr = e.const(0)
    tile = program
    if view.count.constant != 1:
        which = builder.let(program // (down * across), "i", "product")
        tile = builder.let(program % (down * across), "i", "tile")
    # Eight tiles of rows at a time share the columns they read (and the second-level cache).
    builder.remark("groups of 8 tiles downwards share their columns in the cache")
    group = builder.let(tile // (8 * across) * 8, "i", "group")
    height = builder.let(e.minimum(down - group, 8), "i", "height")
    local = builder.let(tile % (8 * across), "i", "local")
    y = builder.let(group + local % height, "i", "tile_row")
    x = builder.let(local // height, "i", "tile_column")
    row = builder.let(y * m + builder.lanes("M", 0), "i", "row")
    column = builder.let(x * n + builder.lanes("N", 1), "i", "column")
    return _base(builder, row, rows), _base(builder, column, columns), Base(which)


def _base(builder: KernelBuilder, at: Expr, extent: Expr) -> Base:
    return Base(at, (lambda: builder.let(at < extent, "m"),))


def _accumulate(
    emitter: Emitter,
    view: Product,
    place: tuple[Base, Base, Base],
    plan: ContractPlan,
    precision: str,
) -> Expr:
    """The loop over the depth; gives the tile of sums."""
    row, column, which = place
    builder = emitter.builder
    for base in (row, column):
        for bound in base.bounds:
            bound()
    # Divisions of positions stay outside the loop (what is not needed is dropped again).
    access = view.result(row, column, which)
    for index in (*access.coordinates, linearize(access.coordinates, access.extents)):
        builder.affine(index)
    # A multiple of every tile's depth, so that addresses along the depth are seen aligned.
    share = builder.size(builder.symbol(plan.share, "share"), divisible=True)
    depth = builder.size(view.depth)
    start = builder.let(builder.program(1) * share, "i", "start")
    end = builder.let(e.minimum(start + share, depth), "i", "end")
    total = builder.declare(e.const(0.0), emitter.tile, "acc", "acc")
    with builder.loop(end, start, constant("K"), hint="k") as step:
        left_depth = _depth(builder, step, 1, view.depth)
        right_depth = _depth(builder, step, 0, view.depth)
        left, read_left = view.left
        right, read_right = view.right
        a = _operand(emitter, left, read_left(row, left_depth, which), (row, left_depth))
        b = _operand(emitter, right, read_right(right_depth, column, which), (right_depth, column))
        builder.assign(total, dot(a, b, total, precision))
    return total


def _depth(builder: KernelBuilder, step: Expr, axis: int, depth: Size) -> Base:
    at = builder.let(step + builder.lanes("K", axis), "i", "deep")
    deepest = max(tile[2] for tile, _, _ in TILES)
    if depth.constant is not None and depth.constant % deepest == 0:
        return Base(at)
    return _base(builder, at, builder.size(depth))


def _operand(emitter: Emitter, value: Value, access: Access, bases: tuple[Base, Base]) -> Expr:
    """A tile of an operand: 0 outside the matrix and in a convolution's padding."""
    inside = (bound() for base in bases for bound in base.bounds)
    return emitter.emit_guarded(value, access.guarded(*inside))


def _sum(task: Task, anchor: Node, plan: ContractPlan, partial: Scratch, tile: int) -> KernelBody:
    """The second launch: a flat kernel that starts from the sum of the partial results."""

    def start(emitter: Emitter, access: Access) -> Expr:
        builder = emitter.builder
        stride = _stride(builder, anchor)
        splits = builder.size(builder.symbol(plan.splits, "splits"))
        index = linearize(access.coordinates, access.extents)
        pointer = builder.pointer(partial, F32, "partial")
        mask = emitter.mask(index, ())
        total = builder.declare(e.const(0.0), emitter.tile, "acc", "acc")
        with builder.loop(splits, hint="split") as split:
            place = element(pointer, split * stride + builder.affine(index), mask)
            builder.increase(total, read(place))
        return total

    why = f"adds the {plan.splits} partial sums in fixed order"
    return flat_kernel(task, tile, {anchor.output: start}, "sum_partials", why, ".sum")
