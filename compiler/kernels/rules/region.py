"""Maxima over cells of regions, and their adjoint."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.region import RegionMax, RegionScatter

from ..builder import KernelBuilder
from ..expressions import as_i32, element, read
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task
from .region_cells import CONFIGS, TILE, RegionKernel, copied
from .region_gather import AtPixel, gathered

_LOWEST = e.const(-3.4028234663852886e38)  # -FLT_MAX, where Caffe's maxima start


def _channels(node: Node) -> int:
    return node.outputs[0].shape[1]


def _max_of(task: Task, node: Node, config: Config) -> RegionKernel:
    x, *cells = node.inputs
    return RegionKernel(task, node, config, x.type, tuple(cells))


def _copies(task: Task, node: Node, config: Config) -> Iterator[KernelBody]:
    yield copied(_max_of(task, node, config), node.inputs[0], 0)


@single(RegionMax, _channels, *CONFIGS, before=_copies, lanes=True)
def region_max_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """A program walks through the cells of one region, for a block of channels."""
    regions = _max_of(task, node, config)
    inside = regions.begin(builder)
    copy = builder.pointer(regions.scratch(0), regions.image.dtype, "copy")
    program = builder.let(builder.program(), "i", "program")
    region = builder.let(program % inside.count, "i", "region")
    block = builder.let(program // inside.count, "i", "block")
    lane = inside.lanes()
    channel = builder.let(block * regions.width + lane, "i", "channel")
    there = builder.let(channel < regions.channels, "m", "there")
    image = inside.image_of(region)
    exists = inside.exists(image)
    start = builder.let(inside.plane(image, e.const(0), block) * inside.pixels, "i", "start")
    wanted = {port.value for port, _ in task.ports}
    axes = frozenset({0, 1})
    with builder.loop(e.const(regions.rows), hint="row") as row:
        vertical = inside.vertical(region, row)
        vertical = vertical._replace(
            end=builder.let(e.where(exists, vertical.end, vertical.begin), "i", "end")
        )
        with builder.loop(e.const(regions.columns), hint="column") as column:
            horizontal = inside.horizontal(region, column)
            best = builder.declare(_LOWEST, axes, "r", "best")
            place = builder.declare(e.const(-1), axes, "r", "place")
            with inside.elements(vertical, horizontal) as (h, w):
                spot = builder.let(h * inside.width + w, "i", "spot")
                value = read(element(copy, (start + spot) * regions.width + lane))
                value = builder.let(value, "x", "value")
                if node.outputs[1] in wanted:
                    builder.assign(place, e.where(value > best, as_i32(spot), place))
                builder.assign(best, e.where(value > best, value, best))
            filled = (vertical.begin < vertical.end) & (horizontal.begin < horizontal.end)
            filled = builder.let(filled, "m", "filled")
            results = (e.where(filled, best, e.const(0.0)), place)
            spot = builder.let(inside.cell_place(region, channel, row, column), "i", "cell")
            for result, found in zip(node.outputs, results, strict=True):
                if result in wanted:
                    target = element(pointer_to(task, builder, result), spot, (there,))
                    builder.store(target, found)
    programs = regions.cells[0].shape[0] * regions.blocks
    why = f"{regions.rows} x {regions.columns} cells of a region, {regions.width} channels"
    return task.kernel(builder, "region_max", TILE, regions.tile, (programs, 1), why)


@single(RegionScatter, _channels, *CONFIGS, lanes=True)
def region_scatter_kernel(
    task: Task, node: Node, builder: KernelBuilder, config: Config
) -> KernelBody:
    """One thread adds all that belongs to a channel of an image there; many look, each for the
    channels of a pixel, for the cells that it is in."""
    g, place, *cells = node.inputs
    regions = RegionKernel(task, node, config, node.output.type, tuple(cells))
    if task.heuristic.one_thread:
        return _scattered(regions, builder)
    g_pointer, places = pointer_to(task, builder, g), pointer_to(task, builder, place)

    def share(at: AtPixel, cell: Expr) -> Expr:
        spot = builder.let(read(element(places, cell, (at.there,)), -1), "x", "place")
        value = builder.let(read(element(g_pointer, cell, (at.there,)), 0.0), "x", "value")
        return e.where(e.equal(spot, at.spot), value, e.const(0.0))

    return gathered(regions, builder, share, "region_scatter")


def _scattered(regions: RegionKernel, builder: KernelBuilder) -> KernelBody:
    task, node = regions.task, regions.node
    inside = regions.begin(builder)
    g, place = (pointer_to(task, builder, value) for value in node.inputs[:2])
    out = pointer_to(task, builder, node.output)
    program = builder.let(builder.program(), "i", "program")
    image = builder.let(program // regions.channels, "i", "image")
    channel = builder.let(program % regions.channels, "i", "channel")
    start = builder.let(program * inside.pixels, "i", "start")
    with builder.loop(inside.pixels, hint="pixel") as pixel:
        builder.store(element(out, start + pixel), e.const(0.0))
    count = regions.rows * regions.columns
    with builder.loop(inside.count, hint="region") as region:
        own = inside.image_of(region)
        with builder.when(builder.let(e.equal(own, image), "m", "own")):
            first = builder.let((region * regions.channels + channel) * count, "i", "first")
            with builder.loop(e.const(count), hint="cell") as cell:
                spot = builder.let(read(element(place, first + cell)), "i", "spot")
                with builder.when(builder.let((spot >= 0) & (spot < inside.pixels), "m")):
                    target = element(out, start + spot)
                    total = read(target) + read(element(g, first + cell))
                    builder.store(target, builder.let(total, "v", "total"))
    programs = regions.image.shape[0] * regions.channels
    why = f"what belongs to a channel of an image, of {count} cells of each region"
    return task.kernel(builder, "region_scatter", (), Config(()), (programs, 1), why)
