"""Sums over cells of regions, weighted or not, and their adjoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.region_sum import RegionSpread, RegionSum
from ir.types import F32, TensorType

from ..builder import KernelBuilder
from ..expressions import element, read
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task
from .region_cells import CONFIGS, TILE, Inside, RegionKernel, copied
from .region_gather import AtPixel, gathered

_CELLS = 3  # operands that say where cells lie; weights come after them


def _regions(
    task: Task, node: Node, config: Config, image: TensorType, by_cell: bool
) -> RegionKernel:
    return RegionKernel(task, node, config, image, node.inputs[1 : 1 + _CELLS], by_cell)


@dataclass(frozen=True)
class _Weights:
    """Of the rows of an image in rows of cells, and of its columns. None: all are 1."""

    inside: Inside
    pointers: tuple[Expr, ...]

    @staticmethod
    def of(inside: Inside) -> _Weights:
        found: tuple[Value, ...] = inside.of.node.inputs[1 + _CELLS :]
        return _Weights(inside, tuple(map(inside.pointer, found)))

    def down(self, region: Expr, row: Expr, h: Expr) -> Expr | None:
        return self._weight(0, region * self.inside.of.rows + row, self.inside.height, h)

    def along(self, region: Expr, column: Expr, w: Expr) -> Expr | None:
        return self._weight(1, region * self.inside.of.columns + column, self.inside.width, w)

    def _weight(self, which: int, cell: Expr, extent: Expr, place: Expr) -> Expr | None:
        if not self.pointers:
            return None
        found = read(element(self.pointers[which], cell * extent + place))
        return self.inside.builder.let(found, "x", "weight")


def _times(value: Expr, weight: Expr | None) -> Expr:
    return value if weight is None else value * weight


def _sum_of(task: Task, node: Node, config: Config) -> RegionKernel:
    assert isinstance(node.op, RegionSum)
    return _regions(task, node, config, node.inputs[0].type, node.op.by_cell)


def _copies(task: Task, node: Node, config: Config) -> Iterator[KernelBody]:
    return copied(_sum_of(task, node, config), node.inputs[0])


@single(RegionSum, lambda node: node.output.shape[1], *CONFIGS, before=_copies, lanes=True)
def region_sum_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """A program walks through the cells of one region, for a block of channels."""
    regions = _sum_of(task, node, config)
    inside = regions.begin(builder)
    weights = _Weights.of(inside)
    out = inside.pointer(node.output)
    at = inside.visited()
    axes = frozenset({0, 1})
    with builder.loop(e.const(regions.rows), hint="row") as row:
        vertical = inside.visible(at, row)
        with builder.loop(e.const(regions.columns), hint="column") as column:
            horizontal = inside.horizontal(at.region, column)
            kind = row * regions.columns + column
            values = inside.features(node.inputs[0], at, kind)
            total = builder.declare(e.const(0.0), axes, "acc", "total")
            with builder.loop(vertical.end, vertical.begin, hint="h") as h:
                first = builder.let(h * inside.width, "i", "first")
                down = weights.down(at.region, row, h)
                with builder.loop(horizontal.end, horizontal.begin, hint="w") as w:
                    value = values(builder.let(first + w, "i", "spot"))
                    along = weights.along(at.region, column, w)
                    if down is not None and along is not None:
                        value = value * builder.let(down * along, "v", "share")
                    builder.increase(total, value)
            place = inside.cell_place(at.region, at.channel, row, column)
            builder.store(element(out, place, (at.there,)), total)
    programs = regions.cells[0].shape[0] * regions.blocks
    why = f"{regions.rows} x {regions.columns} cells of a region, {regions.width} channels"
    return task.kernel(builder, "region_sum", TILE, regions.tile, (programs, 1), why)


@single(RegionSpread, lambda node: node.inputs[0].shape[1], *CONFIGS, lanes=True)
def region_spread_kernel(
    task: Task, node: Node, builder: KernelBuilder, config: Config
) -> KernelBody:
    """One thread adds all that belongs to some channels of an image there; many look, each for the
    channels of a pixel, for the cells that it is in."""
    assert isinstance(node.op, RegionSpread)
    regions = _regions(task, node, config, node.output.type, node.op.by_cell)
    if task.heuristic.one_thread:
        return _spread(regions, builder)
    g = pointer_to(task, builder, node.inputs[0])
    weights = _Weights.of(Inside(regions, builder))

    def share(at: AtPixel, cell: Expr) -> Expr:
        found = read(element(g, cell, (at.there,)), 0.0)
        found = _times(found, weights.down(at.region, at.row, at.h))
        return _times(found, weights.along(at.region, at.column, at.w))

    return gathered(regions, builder, share, "region_spread")


def _spread(regions: RegionKernel, builder: KernelBuilder) -> KernelBody:
    """Into memory with channels side by side, and from there to where they belong."""
    task, node = regions.task, regions.node
    inside = regions.begin(builder)
    weights = _Weights.of(inside)
    sums = regions.scratch(0)
    g, out = inside.pointer(node.inputs[0]), inside.pointer(node.output)
    copy = builder.pointer(sums, F32, "sums")
    program = builder.let(builder.program(), "i", "program")
    image, kind, block = inside.parted(program)
    lane = inside.lanes()
    channel = builder.let(block * regions.width + lane, "i", "channel")
    there = builder.let(channel < regions.channels, "m", "there")
    start = builder.let(program * inside.pixels, "i", "start")
    with builder.loop(inside.pixels, hint="pixel") as pixel:
        builder.store(element(copy, (start + pixel) * regions.width + lane), e.const(0.0))

    def add(region: Expr, row: Expr, column: Expr) -> None:
        vertical, horizontal = inside.vertical(region, row), inside.horizontal(region, column)
        cell = inside.cell_place(region, channel, row, column)
        value = builder.let(read(element(g, cell, (there,)), 0.0), "x", "value")
        with builder.loop(vertical.end, vertical.begin, hint="h") as h:
            first = builder.let(start + h * inside.width, "i", "first")
            share = builder.let(_times(value, weights.down(region, row, h)), "v", "share")
            with builder.loop(horizontal.end, horizontal.begin, hint="w") as w:
                target = element(copy, (first + w) * regions.width + lane)
                total = read(target) + _times(share, weights.along(region, column, w))
                builder.store(target, builder.let(total, "v", "total"))

    with builder.loop(inside.count, hint="region") as region:
        own = builder.let(e.equal(inside.image_of(region), image), "m", "own")
        with builder.when(own):
            if regions.kinds > 1:
                columns = e.const(regions.columns)
                add(region, kind // columns, kind % columns)
            else:
                with builder.loop(e.const(regions.rows), hint="row") as row:
                    with builder.loop(e.const(regions.columns), hint="column") as column:
                        add(region, row, column)
    place = builder.let(inside.start(image, kind, channel), "i", "place")
    with builder.loop(inside.pixels, hint="pixel") as pixel:
        total = builder.let(read(element(copy, (start + pixel) * regions.width + lane)), "x")
        builder.store(element(out, place + pixel, (there,)), total)
    why = f"what belongs to {regions.width} channels of an image"
    return task.kernel(
        builder,
        "region_spread",
        TILE,
        regions.tile,
        (regions.planes, 1),
        why,
        writes=[*task.node.outputs, sums],
    )
