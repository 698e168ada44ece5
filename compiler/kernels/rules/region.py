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

TOGETHER = 4
"""Channels to which one thread adds: with an image of usual size they stay in a core's first cache.
"""
_LOWEST = e.const(-3.4028234663852886e38)  # -FLT_MAX, where Caffe's maxima start


def _channels(node: Node) -> int:
    return node.outputs[0].shape[1]


def _max_of(task: Task, node: Node, config: Config) -> RegionKernel:
    x, *cells = node.inputs
    return RegionKernel(task, node, config, x.type, tuple(cells))


def _copies(task: Task, node: Node, config: Config) -> Iterator[KernelBody]:
    return copied(_max_of(task, node, config), node.inputs[0])


@single(RegionMax, _channels, *CONFIGS, before=_copies, lanes=True)
def region_max_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """A program walks through the cells of one region, for a block of channels."""
    regions = _max_of(task, node, config)
    inside = regions.begin(builder)
    at = inside.visited()
    values = inside.features(node.inputs[0], at, e.const(0))
    wanted = {port.value for port, _ in task.ports}
    axes = frozenset({0, 1})
    with builder.loop(e.const(regions.rows), hint="row") as row:
        vertical = inside.visible(at, row)
        with builder.loop(e.const(regions.columns), hint="column") as column:
            horizontal = inside.horizontal(at.region, column)
            best = builder.declare(_LOWEST, axes, "r", "best")
            place = builder.declare(e.const(-1), axes, "r", "place")
            with inside.elements(vertical, horizontal) as (h, w):
                spot = builder.let(h * inside.width + w, "i", "spot")
                value = builder.let(values(spot), "x", "value")
                if node.outputs[1] in wanted:
                    builder.assign(place, e.where(value > best, as_i32(spot), place))
                builder.assign(best, e.where(value > best, value, best))
            filled = (vertical.begin < vertical.end) & (horizontal.begin < horizontal.end)
            filled = builder.let(filled, "m", "filled")
            results = (e.where(filled, best, e.const(0.0)), place)
            spot = inside.cell_place(at.region, at.channel, row, column)
            for result, found in zip(node.outputs, results, strict=True):
                if result in wanted:
                    target = element(pointer_to(task, builder, result), spot, (at.there,))
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
    """A few channels together: what belongs to them lies side by side."""
    task, node, channels = regions.task, regions.node, regions.channels
    inside = regions.begin(builder)
    g, place = (pointer_to(task, builder, value) for value in node.inputs[:2])
    out = pointer_to(task, builder, node.output)
    blocks = -(-channels // TOGETHER)
    program = builder.let(builder.program(), "i", "program")
    image = builder.let(program // blocks, "i", "image")
    first = builder.let(program % blocks * TOGETHER, "i", "first")
    last = builder.let(e.minimum(first + TOGETHER, channels), "i", "last")
    start = builder.let(image * channels * inside.pixels, "i", "start")
    begin, end = (builder.let(start + c * inside.pixels, "i") for c in (first, last))
    with builder.loop(end, begin, hint="pixel") as pixel:
        builder.store(element(out, pixel), e.const(0.0))
    count = regions.rows * regions.columns
    with builder.loop(inside.count, hint="region") as region:
        own = builder.let(e.equal(inside.image_of(region), image), "m", "own")
        with builder.when(own), builder.loop(last, first, hint="channel") as channel:
            plane = builder.let(start + channel * inside.pixels, "i", "plane")
            cells = builder.let((region * channels + channel) * count, "i", "cells")
            with builder.loop(e.const(count), hint="cell") as cell:
                spot = builder.let(read(element(place, cells + cell)), "i", "spot")
                with builder.when(builder.let((spot >= 0) & (spot < inside.pixels), "m")):
                    target = element(out, plane + spot)
                    total = read(target) + read(element(g, cells + cell))
                    builder.store(target, builder.let(total, "v", "total"))
    programs = regions.image.shape[0] * blocks
    why = f"what belongs to {TOGETHER} channels of an image, of {count} cells of each region"
    return task.kernel(builder, "region_scatter", (), Config(()), (programs, 1), why)
