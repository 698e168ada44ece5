"""The contract schedule: one matrix product in tiles by ``tl.dot``, and its epilogue.

There is one loop, over the whole depth (all channels and taps of a convolution at once):
only such loops are software-pipelined. Where the tiles are too few to fill a device the
depth is split over programs; partial results go to scratch memory, and a second launch
adds them in fixed order and computes the epilogue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node, Value
from ir.op import Property

from ..builder import KernelBuilder
from ..choice import Choice
from ..emitter import Access, Emitter, zero
from ..expressions import axes_of, cdiv, constant, dot
from ..index import ZERO, Affine, Base, delinearize, linearize, variable
from ..monomial import product
from ..nodes import KernelBody
from ..products import Product, Sizes, product_of
from ..task import Scheduled, Task
from .partials import Partials
from .terms import schedule_terms


def anchor_of(body: Graph) -> Node:
    found = [n for n in body.nodes if Property.CONTRACTION in n.op.properties]
    if len(found) != 1:
        raise ValueError(f"a contract group has one contraction, not {len(found)}")
    return found[0]


def schedule_contract(task: Task) -> Scheduled:
    anchor = anchor_of(task.body)
    view = product_of(task.emitter(1), anchor)
    if view.thin:
        return schedule_terms(task, anchor, view)
    seconds = task.heuristic.flat(task.body, task.number(anchor.output.type.size))
    choices = [
        replace(choice, second=second)
        for choice in task.heuristic.contract(view.sizes.at(task.number), view.strided)
        for second in (seconds if choice.splits > 1 else [None])
    ]

    depth = product(view.depth).constant
    # The last step of each tile is whole.
    even = depth is not None and depth % math.lcm(*(c.config["K"] for c in choices)) == 0

    def kernels(choice: Choice) -> list[KernelBody]:
        share, splits = choice.shares(view.sizes.steps(choice.config))
        partials = Partials(anchor.output, splits)
        first = _product(task, anchor, choice, partials, share, even)
        if choice.second is None or choice.splits == 1:
            return [first]
        return [first, partials.added(task, choice.second)]

    return Scheduled(choices, kernels)


def _product(
    task: Task, anchor: Node, choice: Choice, partials: Partials, share: int, even: bool
) -> KernelBody:
    """The launch that multiplies, in each program so many steps of the depth (``share``)."""
    config = choice.config.having("SPLIT", int(choice.splits > 1))
    emitter = task.emitter(2)
    builder = emitter.builder
    view = product_of(emitter, anchor)
    bases = _tile(builder, view, choice.group)
    builder.place(anchor.location)
    precision = task.options.factors_precision
    total = _accumulate(emitter, view, bases, share * config["K"], even, precision)
    access = _result(view, bases)
    access = access.guarded(*(b() for base in bases for b in base.bounds))
    with builder.when(constant("SPLIT")):
        partials.store(emitter, access, total)
    with builder.otherwise():
        emitter.preset(anchor.output, access, total)
        for port, buffer in task.ports:
            emitter.write(port, buffer, access)
    name, grid = anchor.op.name, (view.sizes.programs(config), partials.splits)
    numbers = view.sizes.at(task.number)
    count, rows, columns, depth = numbers
    why = f"{count} product(s) {rows} x {depth} by {depth} x {columns}"
    why += f" in {numbers.programs(config)} tiles"
    if config["SPLIT"]:
        why += f", depth split {partials.splits} ways to fill the device"
    written = [partials.scratch] if config["SPLIT"] else []
    return task.kernel(builder, name, ("M", "N"), config, grid, why, partials=written)


def _result(view: Product, bases: tuple[Base, Base, Base]) -> Access:
    row, column, which = bases
    return view.result(
        _along(row, view.rows), _along(column, view.columns), _along(which, view.count)
    )


def _along(base: Base, extents: Sizes) -> Sequence[Affine]:
    """Places of a position among the rows, the columns or along the depth."""
    if base.at.op == "const":  # the only product
        return (ZERO,) * len(extents)
    return delinearize(base, extents) if len(extents) > 1 else (variable(base),)


def _tile(builder: KernelBuilder, view: Product, size: int) -> tuple[Base, Base, Base]:
    """Rows, columns and product number of this program; ``size``: tiles in a group."""
    m, n = constant("M"), constant("N")
    program = builder.let(builder.program(), "i", "program")
    rows, columns = builder.size(product(view.rows)), builder.size(product(view.columns))
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
    row = builder.let(y * m + builder.lanes("M", 0), "i", "row")
    column = builder.let(x * n + builder.lanes("N", 1), "i", "column")
    return _base(builder, row, rows), _base(builder, column, columns), Base(which)


def _base(builder: KernelBuilder, at: Expr, extent: Expr) -> Base:
    return Base(at, (lambda: builder.let(at < extent, "m"),))


def _accumulate(
    emitter: Emitter,
    view: Product,
    place: tuple[Base, Base, Base],
    share: int,
    even: bool,
    precision: str,
) -> Expr:
    """The loop over the depth; gives the tile of sums."""
    row, column, which = place
    builder = emitter.builder
    for base in (row, column):
        for bound in base.bounds:
            bound()
    # Divisions of positions stay outside the loop (what is not needed is dropped again).
    access = _result(view, place)
    for index in (*access.coordinates, linearize(access.coordinates, access.extents)):
        builder.affine(index)
    # A multiple of every tile's depth, so that addresses along the depth are seen aligned.
    stretch = builder.size(builder.amount(share, "share"), divisible=True)
    depth = builder.size(product(view.depth))
    start = builder.let(builder.program(1) * stretch, "i", "start")
    end = builder.let(e.minimum(start + stretch, depth), "i", "end")
    total = builder.declare(e.const(0.0), emitter.tile, "acc", "acc")
    with builder.loop(end, start, constant("K"), hint="k") as step:
        left_depth = _depth(builder, step, 1, depth, even)
        right_depth = _depth(builder, step, 0, depth, even)
        at_row, at_column = _along(row, view.rows), _along(column, view.columns)
        number = _along(which, view.count)
        left, read_left = view.left
        a = read_left(at_row, _along(left_depth, view.depth), number)
        a_tile = _operand(emitter, left, a, (row, left_depth))
        right, read_right = view.right
        b = read_right(_along(right_depth, view.depth), at_column, number)
        b_tile = _operand(emitter, right, b, (right_depth, column))
        builder.assign(total, dot(a_tile, b_tile, total, precision))
    return total


def _depth(builder: KernelBuilder, step: Expr, axis: int, depth: Expr, even: bool) -> Base:
    at = builder.let(step + builder.lanes("K", axis), "i", "deep")
    return Base(at) if even else _base(builder, at, depth)


def _operand(emitter: Emitter, value: Value, access: Access, bases: tuple[Base, Base]) -> Expr:
    """A tile of an operand: 0 outside the matrix and in a convolution's padding."""
    inside = tuple(bound() for base in bases for bound in base.bounds)
    found = emitter.emit_guarded(value, access.guarded(*inside))
    if not axes_of(found):  # one element in all: no tile yet
        found = emitter.chosen(inside, found, zero(value.type.dtype))
    return emitter.narrowed(found, value.type.dtype)
