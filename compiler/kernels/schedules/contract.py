"""The contract schedule: one matrix product in tiles by ``tl.dot``, and its epilogue.

There is one loop, over the whole depth (all channels and taps of a convolution at once):
only such loops are software-pipelined. Where the tiles are too few to fill a device the
depth is split over programs; partial results go to scratch memory, and a second launch
adds them in fixed order and computes the epilogue.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.kernel import Config, Scratch
from compiler.precision import HALF
from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node, Value
from ir.op import Property

from ..builder import KernelBuilder
from ..choice import ALONE, Beside, Choice
from ..emitter import Access, Emitter
from ..expressions import SCALAR, DotKind, cdiv, constant, dot
from ..index import linearize
from ..monomial import product
from ..nodes import KernelBody
from ..products import Places, Product, Side, product_of
from ..task import Scheduled, Task
from .arranged import Strides, along_depth, arranged, strides_of
from .factors import Factor
from .partials import Partials
from .read_back import parted, then_reduced
from .terms import schedule_terms
from .tile_sides import SidePositions, lone_position, tile_positions
from .tile_sums import TileSums, tile_sums


def anchor_of(body: Graph) -> Node:
    found = [n for n in body.nodes if Property.CONTRACTION in n.op.properties]
    if len(found) != 1:
        raise ValueError(f"a contract group has one contraction, not {len(found)}")
    return found[0]


def schedule_contract(task: Task, beside: Beside = ALONE) -> Scheduled:
    anchor = anchor_of(task.body)
    emitter = task.emitter(2)
    view = product_of(emitter, anchor)
    if any(node.op.fold is not None for node in task.body.nodes):
        return _with_sums(task, anchor, emitter, view)
    if view.thin:
        return schedule_terms(task, anchor, view)
    strides = strides_of(emitter, anchor, view)
    view = arranged(emitter, view, strides)
    factors = _factors(emitter, anchor, view, task.options.factors_precision)
    seconds = task.heuristic.flat(task.body, task.number(anchor.output.type.size))
    choices = [
        replace(choice, second=second)
        for choice in task.heuristic.contract(
            view.sizes.at(task.number), view.strided, factors, beside
        )
        for second in (seconds if choice.splits > 1 else [None])
    ]

    def kernels(choice: Choice) -> list[KernelBody]:
        share, splits = choice.shares(view.sizes.steps(choice.config))
        partials = Partials(anchor.output, splits)
        first = _product(task, anchor, choice, partials, share, strides)
        if choice.second is None or choice.splits == 1:
            return [first]
        return [first, partials.added(task, choice.second)]

    return Scheduled(choices, kernels)


def _with_sums(task: Task, anchor: Node, emitter: Emitter, view: Product) -> Scheduled:
    """Sums over the result, too: by the kernel that has all of it, else by kernels that read it."""
    strides = strides_of(emitter, anchor, view)
    view = arranged(emitter, view, strides)
    first, second = parted(task)
    others = (port.value for port in task.body.inputs if port.value not in anchor.inputs)
    crowded = any(value.type.size == anchor.output.type.size for value in others)
    apart = then_reduced(schedule_contract(first, Beside(True, crowded)), second)
    sums = None if view.thin else tile_sums(first, second, anchor, emitter, view)
    if sums is None:
        return apart
    choices = [
        way
        for choice in apart.choices
        for way in ([choice] if choice.splits > 1 else _folding(task, choice, sums))
    ]

    def kernels(choice: Choice) -> list[KernelBody]:
        share, splits = choice.shares(view.sizes.steps(choice.config))
        partials = Partials(anchor.output, splits)
        multiplied = _product(task, anchor, choice, partials, share, strides, sums)
        if choice.splits > 1 or choice.second is None:
            return [multiplied, *apart.kernels(choice)[1:]]
        return [multiplied, sums.folded(choice.second, choice.config)]

    return Scheduled(choices, kernels)


def _folding(task: Task, choice: Choice, sums: TileSums) -> list[Choice]:
    """The ways to fold what the tiles of a choice give."""
    parts = task.number(sums.parts(choice.config))
    return [replace(choice, second=config) for config in task.heuristic.fold(parts)]


def _product(
    task: Task,
    anchor: Node,
    choice: Choice,
    partials: Partials,
    share: int,
    strides: Strides,
    sums: TileSums | None = None,
) -> KernelBody:
    """The launch that multiplies, in each program so many steps of the depth (``share``)."""
    config = choice.config.having("SPLIT", int(choice.splits > 1))
    emitter = task.emitter(2)
    builder = emitter.builder
    view = arranged(emitter, product_of(emitter, anchor), strides)
    factors = _factors(emitter, anchor, view, task.options.factors_precision)
    (row, column, which), tile = _tile(builder, view, choice)
    builder.place(anchor.location)
    places = row.places, column.places, which.places
    total = _accumulate(emitter, view, (row, column, which), choice.config, share, factors)
    access = _stored(view.result(*places), row, column)
    ports = task.ports if sums is None else sums.beside
    with builder.when(constant("SPLIT")):
        partials.store(emitter, access, total)
    with builder.otherwise():
        emitter.preset(anchor.output, access, total)
        for port, buffer in ports:
            emitter.write(port, buffer, access)
        if sums is not None:
            sums.store(emitter, access, (row, column), tile[sums.side], config, choice.splits > 1)
    name, grid = anchor.op.name, (view.sizes.programs(config), partials.splits)
    numbers = view.sizes.at(task.number)
    count, rows, columns, depth = numbers[:4]
    why = f"{count} product(s) {rows} x {depth} by {depth} x {columns}"
    why += f" in {numbers.programs(config)} tiles"
    if config["SPLIT"]:
        why += f", depth split {partials.splits} ways to fill the device"
    written: list[Value | Scratch] = [buffer for _, buffer in ports]
    if config["SPLIT"]:
        written = [partials.scratch]
    elif sums is not None:
        written += sums.scratch(config)
    return task.kernel(builder, name, ("M", "N"), config, grid, why, writes=written)


def _factors(emitter: Emitter, anchor: Node, view: Product, precision: str) -> DotKind:
    """``precision``: of float32."""
    left, _ = view.left
    precision = HALF if left.type.dtype.is_narrow else precision
    return DotKind(precision, held=not along_depth(emitter, anchor, view))


def _stored(access: Access, row: SidePositions, column: SidePositions) -> Access:
    """Where the tile's results go. What lies outside of the matrix an address shows, but not along
    a side of which nothing is left in it, as there is one row or column."""
    seen = SCALAR.union(*(index.axes for index in access.coordinates))
    for axis, run in enumerate((row, column)):
        if axis not in seen:
            access = access.guarded(*run.bounds())
    return access


def _tile(
    builder: KernelBuilder, view: Product, choice: Choice
) -> tuple[tuple[SidePositions, SidePositions, SidePositions], tuple[Expr, Expr]]:
    """Rows, columns and product number of this program, and the tile's numbers along the sides."""
    m, n, size = constant("M"), constant("N"), choice.group
    program = builder.let(builder.program(), "i", "program")
    rows = builder.size(view.side("rows").positions(choice.config["M"]))
    columns = builder.size(view.side("columns").positions(choice.config["N"]))
    down = builder.let(cdiv(rows, m), "i", "tiles_down")
    across = builder.let(cdiv(columns, n), "i", "tiles_across")
    which: Expr = e.const(0)
    tile = program
    if product(view.count).constant != 1:
        which = builder.let(program // (down * across), "i", "product")
        tile = builder.let(program % (down * across), "i", "tile")
    builder.remark(f"groups of {size} tiles downwards share their columns in the cache")
    group = builder.let(tile // (size * across) * size, "i", "group")
    height = builder.let(e.minimum(down - group, size), "i", "height")
    local = builder.let(tile % (size * across), "i", "local")
    y = builder.let(group + local % height, "i", "tile_row")
    x = builder.let(local // height, "i", "tile_column")
    places = (
        tile_positions(builder, y, "M", 0, view.side("rows"), choice.config, "row"),
        tile_positions(builder, x, "N", 1, view.side("columns"), choice.config, "column"),
        lone_position(which, view.count),
    )
    return places, (y, x)


def _accumulate(
    emitter: Emitter,
    view: Product,
    place: tuple[SidePositions, SidePositions, SidePositions],
    config: Config,
    share: int,
    factors: DotKind,
) -> Expr:
    """The loop over the depth, of so many steps (``share``); gives the tile of sums."""
    row, column, which = place
    builder = emitter.builder
    for run in (row, column):
        run.bounds()
    # Divisions of positions stay outside the loop (what is not needed is dropped again).
    access = view.result(row.places, column.places, which.places)
    for index in (*access.coordinates, linearize(access.coordinates, access.extents)):
        builder.affine(index)
    # A multiple of every tile's depth, so that addresses along the depth are seen aligned.
    stretch = builder.size(builder.amount(share * config["K"], "share"), divisible=True)
    depth = builder.size(view.side("depth").positions(config["K"]))
    start = builder.let(builder.program(1) * stretch, "i", "start")
    end = builder.let(e.minimum(start + stretch, depth), "i", "end")
    total = builder.declare(e.const(0.0), emitter.tile, "acc", "acc")
    (left, read_left), (right, read_right) = view.left, view.right

    def read_row(at: Places, depth: Places) -> Access:
        return read_left(at, depth, which.places)

    def read_column(at: Places, depth: Places) -> Access:
        return read_right(depth, at, which.places)

    deep = view.side("depth")
    operands = (
        Factor(emitter, left, read_row, row, deep, 1, config),
        Factor(emitter, right, read_column, column, deep, 0, config),
    )

    def add(step: Expr, whole: bool) -> None:
        a, b = (operand.tile(step, whole) for operand in operands)
        builder.assign(total, dot(a, b, total, factors))

    if not _ends_anywhere(deep, config["K"]):
        with builder.loop(end, start, constant("K"), hint="k", moving=True) as step:
            add(step, False)
        return total
    builder.remark("whole steps ask for no bounds along the depth, and what is left is one more")
    whole = builder.let(depth // constant("K") * constant("K"), "i", "whole")
    last = builder.let(e.minimum(end, whole), "i", "last")
    with builder.loop(last, start, constant("K"), hint="k", moving=True) as step:
        add(step, True)
    with builder.when(e.maximum(start, whole) < end):
        add(whole, False)
    return total


def _ends_anywhere(deep: Side, length: int) -> bool:
    """Whether nobody knows before a launch whether a depth is whole steps of a length."""
    return length > 1 and not deep.filled(length) and product(deep.sizes).constant is None
