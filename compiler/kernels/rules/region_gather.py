"""What cells of regions give to a pixel, added up by the pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr

from ..builder import KernelBuilder
from ..expressions import as_i32, element
from ..nodes import KernelBody
from ..schedules.single import pointer_to
from .region_cells import TILE, CellSpan, Inside, RegionKernel


@dataclass(frozen=True)
class AtPixel:
    """A cell that a pixel is in.

    Attributes:
        spot: the pixel's number in its image. there: which channels exist.
    """

    region: Expr
    row: Expr
    column: Expr
    h: Expr
    w: Expr
    spot: Expr
    there: Expr


PixelShare = Callable[[AtPixel, Expr], Expr]
"""What a pixel gets of a cell, at this place of the gradient, for each channel."""


def gathered(
    regions: RegionKernel, builder: KernelBuilder, share: PixelShare, name: str
) -> KernelBody:
    """A program takes the channels of one pixel: the order of its sum depends on nothing else."""
    task = regions.task
    inside = regions.begin(builder)
    program = builder.let(builder.program(), "i", "program")
    spot = builder.let(program % inside.pixels, "i", "spot")
    plane = builder.let(program // inside.pixels, "i", "plane")
    h = builder.let(spot // inside.width, "i", "h")
    w = builder.let(spot % inside.width, "i", "w")
    image, kind, block = inside.parted(plane)
    channel = builder.let(block * regions.width + inside.lanes(), "i", "channel")
    there = builder.let(channel < regions.channels, "m", "there")
    total = builder.declare(e.const(0.0), frozenset({0, 1}), "acc", "total")
    rows, columns = e.const(regions.rows), e.const(regions.columns)
    number = as_i32(spot)
    with builder.loop(inside.count, hint="region") as region:
        own = e.equal(inside.image_of(region), image)
        reached = own & _covers(inside, region, h, w)
        with builder.when(builder.let(reached, "m", "reached")):

            def add(row: Expr, column: Expr) -> None:
                at = AtPixel(region, row, column, h, w, number, there)
                cell = builder.let(inside.cell_place(region, channel, row, column), "i", "cell")
                builder.increase(total, builder.let(share(at, cell), "v", "share"))

            if regions.kinds > 1:
                row = builder.let(kind // columns, "i", "row")
                column = builder.let(kind % columns, "i", "column")
                vertical, horizontal = (
                    inside.vertical(region, row),
                    inside.horizontal(region, column),
                )
                met = _has(vertical, h) & _has(horizontal, w)
                with builder.when(builder.let(met, "m", "met")):
                    add(row, column)
            else:
                with builder.loop(rows, hint="row") as row:
                    with builder.when(builder.let(_has(inside.vertical(region, row), h), "m")):
                        with builder.loop(columns, hint="column") as column:
                            beside = _has(inside.horizontal(region, column), w)
                            with builder.when(builder.let(beside, "m")):
                                add(row, column)
    start = builder.let(inside.start(image, kind, channel), "i", "start")
    out = pointer_to(task, builder, regions.node.output)
    builder.store(element(out, start + spot, (there,)), total)
    programs = regions.planes * regions.pixels
    why = f"{regions.width} channels of a pixel, of the cells of all regions that it is in"
    return task.kernel(builder, name, TILE, regions.tile, (programs, 1), why)


def _has(window: CellSpan, place: Expr) -> Expr:
    return (window.begin <= place) & (place < window.end)


def _covers(inside: Inside, region: Expr, h: Expr, w: Expr) -> Expr:
    """Whether a pixel is between the first row (and column) of cells and the last."""
    rows, columns = inside.of.rows - 1, inside.of.columns - 1
    first = inside.vertical(region, e.const(0)), inside.horizontal(region, e.const(0))
    last = inside.vertical(region, e.const(rows)), inside.horizontal(region, e.const(columns))
    found = (first[0].begin <= h) & (h < last[0].end)
    return found & (first[1].begin <= w) & (w < last[1].end)
